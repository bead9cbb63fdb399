package remotemanager

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

var errNoStream = errors.New("there is no such data stream")

// element is the text of one element of an XML document.
func element(text, name string) (string, error) {
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		t, err := d.Token()
		if err != nil {
			return "", fmt.Errorf("the XML has no <%s>", name)
		}
		if e, ok := t.(xml.StartElement); ok && e.Name.Local == name {
			var s string
			if err := d.DecodeElement(&s, &e); err != nil {
				return "", fmt.Errorf("the XML cannot be read: %w", err)
			}
			return strings.TrimSpace(s), nil
		}
	}
}

// xmlStream is a data stream as ws/DataStream takes it.
type xmlStream struct {
	StreamID    string  `xml:"streamId"`
	DataType    *string `xml:"dataType"`
	Description *string `xml:"description"`
	Units       *string `xml:"units"`
	DataTTL     *string `xml:"dataTtl"`
	RollupTTL   *string `xml:"rollupTtl"`
	ForwardTo   *string `xml:"forwardTo"`
}

// apply changes a stream.
func (x xmlStream) apply(st *stream) {
	for _, f := range []struct {
		to   *string
		from *string
	}{{&st.description, x.Description}, {&st.units, x.Units}, {&st.dataTTL, x.DataTTL}, {&st.rollupTTL, x.RollupTTL}, {&st.forward, x.ForwardTo}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	if x.DataType != nil {
		st.kind = strings.ToUpper(*x.DataType)
	}
}

// dataStream is ws/DataStream[/ID].
func (s *Server) dataStream(w http.ResponseWriter, r *http.Request) {
	const what = "DataStream"
	id := rest(r, "/ws/DataStream")
	switch r.Method {
	case http.MethodGet:
		l, ok := s.streamList(id, pageOf(r))
		if !ok {
			answerError(w, r, http.StatusNotFound, "GET "+what, errNoStream)
			return
		}
		answerList(w, r, l)
	case http.MethodPost, http.MethodPut:
		s.putStream(w, r, id)
	case http.MethodDelete:
		s.mu.Lock()
		_, ok := s.streams[id]
		s.dropStream(id)
		s.mu.Unlock()
		if !ok {
			answerError(w, r, http.StatusNotFound, "DELETE "+what, errNoStream)
			return
		}
		answerNode(w, r, http.StatusOK, leaf("message", "1 items deleted"))
	default:
		notAllowed(w, r, what, "GET, POST, PUT, DELETE")
	}
}

// streamList lists the streams; a name without its last part stands for all
// below it. It reports false if there is none of that name.
func (s *Server) streamList(id string, p page) (list, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*stream
	for _, n := range s.names {
		if id == "" || n == id || strings.HasPrefix(n, id+"/") {
			found = append(found, s.streams[n])
		}
	}
	from, to := p.of(len(found))
	l := list{head: []node{
		leaf("resultSize", strconv.Itoa(to-from)), leaf("requestedSize", strconv.Itoa(p.size)), leaf("pageCursor", strconv.Itoa(to)),
	}}
	for _, st := range found[from:to] {
		l.items = append(l.items, st.node())
	}
	return l, id == "" || found != nil
}

// putStream makes a stream (POST), or changes one (PUT).
func (s *Server) putStream(w http.ResponseWriter, r *http.Request, id string) {
	what := r.Method + " DataStream"
	text, ok := body(w, r, what)
	if !ok {
		return
	}
	var x xmlStream
	err := xml.Unmarshal([]byte(text), &x)
	if err != nil {
		err = fmt.Errorf("the XML cannot be read: %w", err)
	}
	if x.StreamID = strings.Trim(x.StreamID, "/ "); x.StreamID == "" {
		x.StreamID = id
	}
	if err == nil && x.StreamID == "" {
		err = errors.New("the stream has no streamId")
	}
	if err == nil && x.DataType != nil && !slices.Contains(kinds, strings.ToUpper(*x.DataType)) {
		err = refusef("Invalid dataType: %s", *x.DataType)
	}
	if err != nil {
		answerError(w, r, http.StatusBadRequest, what, err)
		return
	}
	status, err := s.changeStream(x, r.Method == http.MethodPost)
	if err != nil {
		answerError(w, r, status, what, err)
		return
	}
	answerNode(w, r, status, leaf("location", x.StreamID))
}

// changeStream makes a stream, or changes one, and returns the status to answer
// with.
func (s *Server) changeStream(x xmlStream, create bool) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch old := s.streams[x.StreamID]; {
	case create && old != nil:
		return http.StatusConflict, errors.New("the data stream exists already")
	case !create && old == nil:
		return http.StatusNotFound, errNoStream
	}
	st, err := s.makeStream(x.StreamID)
	if err != nil {
		return http.StatusForbidden, err
	}
	x.apply(st)
	if create {
		return http.StatusCreated, nil
	}
	return http.StatusOK, nil
}

// node is the stream as the web service shows it.
func (st *stream) node() node {
	n := node{name: "DataStream", parts: []node{
		leaf("cstId", customer), leaf("streamId", st.id), leaf("dataType", st.kind), leaf("forwardTo", st.forward),
	}}
	if k := len(st.points); k > 0 {
		v := st.points[k-1].node()
		n.parts = append(n.parts, node{name: "currentValue", parts: append(v.parts[:1:1], v.parts[3:]...)})
	}
	n.parts = append(n.parts, leaf("description", st.description), leaf("units", st.units), leaf("dataTtl", st.dataTTL), leaf("rollupTtl", st.rollupTTL))
	return n
}

// node is the point as the web service shows it.
func (p point) node() node {
	n := node{name: "DataPoint", parts: []node{
		leaf("id", p.id), leaf("cstId", customer), leaf("streamId", p.stream),
		leaf("timestamp", strconv.FormatInt(p.at.UnixMilli(), 10)), leaf("timestampISO", iso(p.at)),
		leaf("serverTimestamp", strconv.FormatInt(p.arrived.UnixMilli(), 10)), leaf("serverTimestampISO", iso(p.arrived)),
		leaf("data", p.data), leaf("description", p.description),
	}}
	quality := p.quality
	if quality == "" {
		quality = "0"
	}
	n.parts = append(n.parts, leaf("quality", quality))
	if p.location != "" {
		n.parts = append(n.parts, leaf("location", p.location))
	}
	return n
}

// dataPoint is ws/DataPoint[/ID[/POINT]].
func (s *Server) dataPoint(w http.ResponseWriter, r *http.Request) {
	id := rest(r, "/ws/DataPoint")
	switch r.Method {
	case http.MethodGet:
		s.readPoints(w, r, id)
	case http.MethodPost:
		s.writePoints(w, r, id)
	case http.MethodDelete:
		s.deletePoints(w, r, id)
	default:
		notAllowed(w, r, "DataPoint", "GET, POST, DELETE")
	}
}

func (s *Server) writePoints(w http.ResponseWriter, r *http.Request, id string) {
	const what = "POST DataPoint"
	text, ok := body(w, r, what)
	if !ok {
		return
	}
	parse := parseXML
	if !strings.HasPrefix(strings.TrimSpace(text), "<") {
		parse = parseCSV
	}
	points, err := parse(text)
	for i := range points {
		if points[i].stream == "" {
			points[i].stream = id
		}
	}
	if err == nil {
		err = s.addPoints(points)
	}
	if err != nil {
		answerError(w, r, http.StatusBadRequest, what, err)
		return
	}
	var made []node
	for _, p := range points {
		made = append(made, leaf("location", "DataPoint/"+p.stream))
	}
	answerNode(w, r, http.StatusCreated, made...)
}

// window is which points a request means: by time, from inclusive, to exclusive.
type window struct {
	from, to time.Time
	server   bool // by the time of arrival
}

func windowOf(r *http.Request, from, to string) (window, error) {
	q := r.URL.Query()
	var win window
	var err, err2 error
	win.from, err = parseTime(q.Get(from))
	win.to, err2 = parseTime(q.Get(to))
	win.server = q.Get("timeline") == "server"
	return win, errors.Join(err, err2)
}

func (win window) has(p point) bool {
	t := p.at
	if win.server {
		t = p.arrived
	}
	return !t.Before(win.from) && (win.to.IsZero() || t.Before(win.to))
}

func (s *Server) readPoints(w http.ResponseWriter, r *http.Request, id string) {
	const what = "GET DataPoint"
	q := r.URL.Query()
	win, err := windowOf(r, "startTime", "endTime")
	if err == nil && (q.Get("rollupInterval") != "" || q.Get("rollupMethod") != "") {
		err = errors.New("the local Remote Manager does not roll data up: read the points")
	}
	if err != nil {
		answerError(w, r, http.StatusBadRequest, what, err)
		return
	}
	found, ok := s.find(id, win, q.Get("order"))
	if !ok {
		answerError(w, r, http.StatusNotFound, what, errNoStream)
		return
	}
	p := pageOf(r)
	if c, err := strconv.Atoi(q.Get("pageCursor")); err == nil && c >= 0 {
		p.start = c
	}
	from, to := p.of(len(found))
	asked := func(name string) string {
		if v := q.Get(name); v != "" {
			return v
		}
		return "-1"
	}
	l := list{head: []node{
		leaf("resultSize", strconv.Itoa(to-from)), leaf("requestedSize", strconv.Itoa(p.size)), leaf("pageCursor", strconv.Itoa(to)),
		leaf("requestedStartTime", asked("startTime")), leaf("requestedEndTime", asked("endTime")),
	}}
	for _, x := range found[from:to] {
		l.items = append(l.items, x.node())
	}
	answerList(w, r, l)
}

// find returns the points of a window in an order: ascending, or descending. It
// reports false if there is no such stream.
func (s *Server) find(id string, win window, order string) (found []point, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.streams[id]
	if st == nil {
		return nil, false
	}
	for _, p := range st.points {
		if win.has(p) {
			found = append(found, p)
		}
	}
	if strings.HasPrefix(order, "desc") {
		slices.Reverse(found)
	}
	return found, true
}

// deletePoints is DELETE of a stream's points: one by its id, or those of a time,
// or all.
func (s *Server) deletePoints(w http.ResponseWriter, r *http.Request, id string) {
	const what = "DELETE DataPoint"
	win, err := windowOf(r, "startTime", "endTime")
	if err != nil {
		answerError(w, r, http.StatusBadRequest, what, err)
		return
	}
	n, ok := s.drop(id, win)
	if !ok {
		answerError(w, r, http.StatusNotFound, what, errNoStream)
		return
	}
	answerNode(w, r, http.StatusOK, leaf("message", strconv.Itoa(n)+" items deleted"))
}

// drop deletes the points of a window, or, where the last part of id is not the
// stream's, the one point that it names, and returns how many they were.
func (s *Server) drop(id string, win window) (n int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, one := s.streams[id], ""
	if i := strings.LastIndexByte(id, '/'); st == nil && i >= 0 {
		st, one = s.streams[id[:i]], id[i+1:]
	}
	if st == nil {
		return 0, false
	}
	before := len(st.points)
	st.points = slices.DeleteFunc(st.points, func(p point) bool {
		if one != "" {
			return p.id == one
		}
		return win.has(p)
	})
	return before - len(st.points), true
}
