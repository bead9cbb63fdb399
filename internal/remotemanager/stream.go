package remotemanager

import (
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// point is one value of a data stream.
type point struct {
	id          string
	stream      string
	data        string
	at, arrived time.Time
	description string
	quality     string
	location    string
	kind, units string // of the stream, if the point says so
}

// stream is a data stream. Its points are in order of their time.
type stream struct {
	id, kind, units, description string
	dataTTL, rollupTTL, forward  string
	points                       []point
}

// kinds are the data types of streams.
var kinds = []string{"INTEGER", "LONG", "FLOAT", "DOUBLE", "STRING", "BINARY", "JSON", "GEOJSON", "UNKNOWN"}

// The limits: a stream keeps its newest points, an upload has at most so many.
const (
	maxPoints = 10000
	maxUpload = 5000
	maxStream = 10000 // streams
)

// defaultTTL and defaultRollup are how long data is kept at Digi's, in seconds;
// here it is told and not acted upon.
const (
	defaultTTL    = "2678400"
	defaultRollup = "2678400"
)

var errTooMany = errors.New("there are too many data streams")

// makeStream finds a stream or makes it. The lock is held.
func (s *Server) makeStream(id string) (*stream, error) {
	if st := s.streams[id]; st != nil {
		return st, nil
	}
	if len(s.streams) >= maxStream {
		return nil, errTooMany
	}
	st := &stream{id: id, kind: "UNKNOWN", dataTTL: defaultTTL, rollupTTL: defaultRollup}
	s.streams[id] = st
	s.names = append(s.names, id)
	return st, nil
}

func (s *Server) dropStream(id string) {
	delete(s.streams, id)
	s.names = slices.DeleteFunc(s.names, func(n string) bool { return n == id })
}

// fits reports whether a value has a stream's type.
func fits(kind, data string) bool {
	var err error
	switch kind {
	case "INTEGER":
		_, err = strconv.ParseInt(data, 10, 32)
	case "LONG":
		_, err = strconv.ParseInt(data, 10, 64)
	case "FLOAT":
		_, err = strconv.ParseFloat(data, 32)
	case "DOUBLE":
		_, err = strconv.ParseFloat(data, 64)
	}
	return err == nil
}

// addPoints keeps points, all or none.
func (s *Server) addPoints(points []point) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.conf.Now().UTC()
	for _, p := range points {
		kind := p.kind
		if st := s.streams[p.stream]; kind == "" && st != nil {
			kind = st.kind
		}
		if kind != "" && !slices.Contains(kinds, kind) {
			return refusef("Invalid dataType: %s", kind)
		}
		if p.stream == "" {
			return errors.New("a data point without streamId")
		}
		if !fits(kind, p.data) {
			return refusef("Invalid data for type %s of stream %s: %s", kind, p.stream, p.data)
		}
	}
	for _, p := range points {
		st, err := s.makeStream(p.stream)
		if err != nil {
			return err
		}
		if p.kind != "" {
			st.kind = p.kind
		}
		if p.units != "" {
			st.units = p.units
		}
		p.arrived = now
		if p.at.IsZero() {
			p.at = now
		}
		s.lastID++
		p.id = fmt.Sprintf("%08x-%04x-11e4-8000-000000000000", s.lastID, uint16(now.Unix()))
		i, _ := slices.BinarySearchFunc(st.points, p, func(a, b point) int {
			if c := a.at.Compare(b.at); c != 0 {
				return c
			}
			return -1 // behind those of the same time
		})
		st.points = slices.Insert(st.points, i, p)
		if len(st.points) > maxPoints {
			st.points = slices.Delete(st.points, 0, 1)
		}
	}
	return nil
}

// parseCSV reads data points in lines; one that begins with # names the columns.
func parseCSV(text string) ([]point, error) {
	columns := []string{"DATA", "TIMESTAMP", "QUALITY", "DESCRIPTION", "LOCATION", "DATATYPE", "UNITS", "FORWARDTO", "STREAMID"}
	if head, rest, ok := strings.Cut(text, "\n"); ok && strings.HasPrefix(head, "#") {
		columns = strings.Split(strings.ToUpper(strings.TrimSpace(head[1:])), ",")
		text = rest
	}
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = -1
	var points []point
	for {
		row, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("the CSV cannot be read: %w", err)
		}
		var p point
		for i, field := range row {
			if i >= len(columns) {
				return nil, fmt.Errorf("line %d of the CSV has more fields than there are columns", len(points)+1)
			}
			if err := p.set(columns[i], field); err != nil {
				return nil, err
			}
		}
		points = append(points, p)
		if len(points) > maxUpload {
			return nil, fmt.Errorf("more than %d data points at once", maxUpload)
		}
	}
	return points, nil
}

// set sets a field by the name it has in CSV.
func (p *point) set(column, text string) error {
	switch column {
	case "DATA":
		p.data = text
	case "TIMESTAMP":
		t, err := parseTime(text)
		p.at = t
		return err
	case "QUALITY":
		if text != "" {
			if _, err := strconv.ParseInt(text, 10, 32); err != nil {
				return refusef("Invalid quality: %s", text)
			}
		}
		p.quality = text
	case "DESCRIPTION":
		p.description = text
	case "LOCATION":
		p.location = text
	case "DATATYPE":
		p.kind = strings.ToUpper(text)
	case "UNITS":
		p.units = text
	case "FORWARDTO":
	case "STREAMID":
		p.stream = strings.Trim(text, "/")
	default:
		return fmt.Errorf("unknown column %s", column)
	}
	return nil
}

// parseTime reads milliseconds since 1970, or ISO 8601; "" is no time.
func parseTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.UnixMilli(n).UTC(), nil
	}
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05.999999999Z0700", "2006-01-02"} {
		if t, err := time.Parse(form, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, refusef("Invalid timestamp: %s", s)
}

// xmlPoint is a data point as ws/DataPoint takes it.
type xmlPoint struct {
	Data        string `xml:"data"`
	StreamID    string `xml:"streamId"`
	Timestamp   string `xml:"timestamp"`
	Quality     string `xml:"quality"`
	Description string `xml:"description"`
	Location    string `xml:"location"`
	StreamType  string `xml:"streamType"`
	DataType    string `xml:"dataType"`
	Units       string `xml:"streamUnits"`
}

// parseXML reads <DataPoint> or a <list> of them.
func parseXML(text string) ([]point, error) {
	var list struct {
		XMLName xml.Name
		Points  []xmlPoint `xml:"DataPoint"`
		xmlPoint
	}
	if err := xml.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("the XML cannot be read: %w", err)
	}
	switch list.XMLName.Local {
	case "DataPoint":
		list.Points = []xmlPoint{list.xmlPoint}
	case "list":
	default:
		return nil, fmt.Errorf("<%s> is neither <DataPoint> nor <list>", list.XMLName.Local)
	}
	if len(list.Points) > maxUpload {
		return nil, fmt.Errorf("more than %d data points at once", maxUpload)
	}
	var points []point
	for _, x := range list.Points {
		var p point
		kind := x.StreamType
		if kind == "" {
			kind = x.DataType
		}
		for _, f := range [][2]string{
			{"DATA", x.Data}, {"STREAMID", x.StreamID}, {"TIMESTAMP", x.Timestamp}, {"QUALITY", x.Quality},
			{"DESCRIPTION", x.Description}, {"LOCATION", x.Location}, {"DATATYPE", kind}, {"UNITS", x.Units},
		} {
			if err := p.set(f[0], f[1]); err != nil {
				return nil, err
			}
		}
		points = append(points, p)
	}
	return points, nil
}

// Point is a data point as the Go side sees it.
type Point struct {
	Stream, Data string
	Time         time.Time
}

// Points lists the points of a stream, the oldest first.
func (s *Server) Points(stream string) []Point {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Point
	if st := s.streams[stream]; st != nil {
		for _, p := range st.points {
			all = append(all, Point{p.stream, p.data, p.at})
		}
	}
	return all
}

// Streams lists the data streams, the oldest first.
func (s *Server) Streams() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.names)
}
