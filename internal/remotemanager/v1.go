package remotemanager

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// This file is the newer services, ws/v1, which speak JSON.

// v1Answer answers with JSON.
func v1Answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

func v1Error(w http.ResponseWriter, status int, err error) {
	v1Answer(w, status, map[string]any{"error_status": status, "error_message": err.Error()})
}

// v1List is the form of every list.
type v1List struct {
	Count int    `json:"count"`
	Size  int    `json:"size"`
	Start string `json:"start"`
	List  []any  `json:"list"`
}

func v1Page(r *http.Request, all []any) v1List {
	p := pageOf(r)
	from, to := p.of(len(all))
	return v1List{Count: to - from, Size: p.size, Start: fmt.Sprint(p.start), List: append([]any{}, all[from:to]...)}
}

// v1Devices is ws/v1/devices/inventory[/ID].
func (s *Server) v1Devices(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		v1Error(w, http.StatusMethodNotAllowed, errors.New("only GET is supported here"))
		return
	}
	id := strings.ToUpper(rest(r, "/ws/v1/devices/inventory"))
	all := s.v1Inventory(id)
	switch {
	case id == "":
		v1Answer(w, http.StatusOK, v1Page(r, all))
	case all == nil:
		v1Error(w, http.StatusNotFound, errors.New("there is no such device"))
	default:
		v1Answer(w, http.StatusOK, all[0])
	}
}

func (s *Server) v1Inventory(id string) []any {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []any
	for _, i := range s.order {
		if id == "" || i == id {
			all = append(all, s.devices[i].v1())
		}
	}
	return all
}

// v1 is the device as the newer inventory shows it.
func (d *device) v1() map[string]any {
	status := "disconnected"
	if d.link != nil {
		status = "connected"
	}
	m := map[string]any{
		"id": d.info.ID, "type": d.info.Type, "cellular_modem_id": d.info.IMEI, "connection_status": status,
		"ip": d.info.Address, "firmware_version": fmt.Sprintf("%X", d.info.Firmware), "description": d.info.Description,
		"contact": d.info.Contact, "location": d.info.Location, "registration_status": "registered", "restricted_status": "unrestricted",
	}
	if !d.connected.IsZero() {
		m["last_connect"] = iso(d.connected)
	}
	if !d.gone.IsZero() {
		m["last_disconnect"] = iso(d.gone)
	}
	return m
}

// v1Stream is a stream as it is given and shown.
type v1Stream struct {
	ID          string  `json:"id"`
	Type        *string `json:"type,omitempty"`
	Units       *string `json:"units,omitempty"`
	Description *string `json:"description,omitempty"`
	Value       string  `json:"value,omitempty"`
	Timestamp   string  `json:"timestamp,omitempty"`
	HistoryURI  string  `json:"history_uri,omitempty"`
}

func (st *stream) v1() v1Stream {
	kind, units, description := st.kind, st.units, st.description
	x := v1Stream{ID: st.id, Type: &kind, Units: &units, Description: &description, HistoryURI: "/ws/v1/streams/history/" + st.id}
	if n := len(st.points); n > 0 {
		x.Value, x.Timestamp = st.points[n-1].data, iso(st.points[n-1].at)
	}
	return x
}

// oneOrMany reads an object, or a list of them.
func oneOrMany[T any](text string) ([]T, error) {
	var many []T
	if strings.HasPrefix(strings.TrimSpace(text), "[") {
		err := json.Unmarshal([]byte(text), &many)
		return many, err
	}
	var one T
	err := json.Unmarshal([]byte(text), &one)
	return []T{one}, err
}

// v1Streams is ws/v1/streams/inventory[/ID].
func (s *Server) v1Streams(w http.ResponseWriter, r *http.Request) {
	id := rest(r, "/ws/v1/streams/inventory")
	switch r.Method {
	case http.MethodGet:
		switch all := s.v1StreamList(id); {
		case id == "":
			v1Answer(w, http.StatusOK, v1Page(r, all))
		case all == nil:
			v1Error(w, http.StatusNotFound, errNoStream)
		default:
			v1Answer(w, http.StatusOK, all[0])
		}
	case http.MethodPost, http.MethodPut:
		s.v1PutStreams(w, r, id)
	case http.MethodDelete:
		s.mu.Lock()
		_, ok := s.streams[id]
		s.dropStream(id)
		s.mu.Unlock()
		if !ok {
			v1Error(w, http.StatusNotFound, errNoStream)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	default:
		v1Error(w, http.StatusMethodNotAllowed, errors.New("GET, POST, PUT and DELETE are supported here"))
	}
}

func (s *Server) v1StreamList(id string) []any {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []any
	for _, n := range s.names {
		if id == "" || n == id {
			all = append(all, s.streams[n].v1())
		}
	}
	return all
}

// v1PutStreams makes streams (POST; those that exist are changed), or changes one
// (PUT).
func (s *Server) v1PutStreams(w http.ResponseWriter, r *http.Request, id string) {
	text, ok := body(w, r, "streams")
	if !ok {
		return
	}
	given, err := oneOrMany[v1Stream](text)
	for i, x := range given {
		if x.ID = strings.Trim(x.ID, "/"); x.ID == "" {
			x.ID = id
		}
		given[i] = x
		if err == nil && x.ID == "" {
			err = errors.New("the stream has no id")
		}
		if err == nil && x.Type != nil && !slices.Contains(kinds, strings.ToUpper(*x.Type)) {
			err = refusef("Invalid type: %s", *x.Type)
		}
	}
	if err != nil {
		v1Error(w, http.StatusBadRequest, err)
		return
	}
	all, status, err := s.v1Change(given, r.Method == http.MethodPost)
	if err != nil {
		v1Error(w, status, err)
		return
	}
	v1Answer(w, http.StatusOK, v1Page(r, all))
}

func (s *Server) v1Change(given []v1Stream, create bool) (all []any, status int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range given {
		if !create && s.streams[x.ID] == nil {
			return nil, http.StatusNotFound, errNoStream
		}
		st, err := s.makeStream(x.ID)
		if err != nil {
			return nil, http.StatusForbidden, err
		}
		xmlStream{DataType: x.Type, Units: x.Units, Description: x.Description}.apply(st)
		all = append(all, st.v1())
	}
	return all, http.StatusOK, nil
}

// v1Point is a point as it is given.
type v1Point struct {
	StreamID    string          `json:"stream_id"`
	Value       json.RawMessage `json:"value"`
	Timestamp   string          `json:"timestamp"`
	Quality     json.Number     `json:"quality"`
	Description string          `json:"description"`
	GeoJSON     json.RawMessage `json:"geojson"`
}

// v1History is ws/v1/streams/history[/ID]: the points.
func (s *Server) v1History(w http.ResponseWriter, r *http.Request) {
	id := rest(r, "/ws/v1/streams/history")
	switch r.Method {
	case http.MethodPost:
		s.v1AddPoints(w, r, id)
	case http.MethodGet, http.MethodDelete:
		s.v1Points(w, r, id)
	default:
		v1Error(w, http.StatusMethodNotAllowed, errors.New("GET, POST and DELETE are supported here"))
	}
}

func (s *Server) v1AddPoints(w http.ResponseWriter, r *http.Request, id string) {
	text, ok := body(w, r, "streams")
	if !ok {
		return
	}
	given, err := oneOrMany[v1Point](text)
	var points []point
	for _, x := range given {
		p := point{stream: strings.Trim(x.StreamID, "/"), data: string(x.Value), quality: string(x.Quality), description: x.Description}
		if p.stream == "" {
			p.stream = id
		}
		var s string
		if json.Unmarshal(x.Value, &s) == nil {
			p.data = s
		}
		var bad error
		p.at, bad = parseTime(x.Timestamp)
		err = errors.Join(err, bad)
		points = append(points, p)
	}
	if err == nil {
		err = s.addPoints(points)
	}
	if err != nil {
		v1Error(w, http.StatusBadRequest, err)
		return
	}
	v1Answer(w, http.StatusOK, v1List{Count: len(points), Size: len(points), Start: "0", List: []any{}})
}

func (s *Server) v1Points(w http.ResponseWriter, r *http.Request, id string) {
	win, err := windowOf(r, "start_time", "end_time")
	if err != nil {
		v1Error(w, http.StatusBadRequest, err)
		return
	}
	if r.Method == http.MethodDelete {
		if _, ok := s.drop(id, win); !ok {
			v1Error(w, http.StatusNotFound, errNoStream)
			return
		}
		w.WriteHeader(http.StatusNoContent)
		return
	}
	found, ok := s.find(id, win, r.URL.Query().Get("order"))
	if !ok {
		v1Error(w, http.StatusNotFound, errNoStream)
		return
	}
	var all []any
	for _, p := range found {
		all = append(all, map[string]any{
			"stream_id": p.stream, "value": p.data, "timestamp": iso(p.at), "server_timestamp": iso(p.arrived),
			"quality": p.quality, "description": p.description, "id": p.id,
		})
	}
	v1Answer(w, http.StatusOK, v1Page(r, all))
}
