package remotemanager

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxBody is the longest request.
const maxBody = 5 << 20

// handler is the web services.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	for path, f := range map[string]http.HandlerFunc{
		"/ws/DeviceCore": s.deviceCore, "/ws/DataStream": s.dataStream, "/ws/DataPoint": s.dataPoint,
		"/ws/FileData": s.fileData, "/ws/sci": s.sci, "/ws/v1/devices/inventory": s.v1Devices, "/ws/v1/streams/inventory": s.v1Streams,
		"/ws/v1/streams/history": s.v1History, "/console": s.consoleHandler,
	} {
		mux.HandleFunc(path, f)
		mux.HandleFunc(path+".json", f)
		mux.HandleFunc(path+"/", f)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		answerNode(w, r, http.StatusNotFound, leaf("error", "the local Remote Manager has DeviceCore, DataStream, DataPoint, FileData, sci, v1/devices/inventory and v1/streams under /ws, and /console"))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Any account will do, but one there must be: a client that forgets it
		// would fail at Digi's.
		user, _, basic := r.BasicAuth()
		if !(basic && user != "") && !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
			w.Header().Set("WWW-Authenticate", `Basic realm="Remote Manager"`)
			answerNode(w, r, http.StatusUnauthorized, leaf("error", "give a user and a password, any will do: curl -u user:password"))
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		mux.ServeHTTP(w, r)
	})
}

// rest is what follows a service's name in the path.
func rest(r *http.Request, service string) string {
	return strings.Trim(strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, service), ".json"), "/")
}

func body(w http.ResponseWriter, r *http.Request, what string) (string, bool) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		answerError(w, r, http.StatusRequestEntityTooLarge, what, err)
		return "", false
	}
	return string(b), true
}

func notAllowed(w http.ResponseWriter, r *http.Request, what, methods string) {
	w.Header().Set("Allow", methods)
	answerError(w, r, http.StatusMethodNotAllowed, what, fmt.Errorf("%s is not supported here; %s are", r.Method, methods))
}

// page is the part of a list that a query asks for.
type page struct{ start, size int }

const maxPage = 1000

func pageOf(r *http.Request) page {
	number := func(name string, otherwise int) int {
		if n, err := strconv.Atoi(r.URL.Query().Get(name)); err == nil && n >= 0 {
			return n
		}
		return otherwise
	}
	return page{number("start", 0), min(maxPage, number("size", maxPage))}
}

// of cuts the page out of a list of n; the end is exclusive.
func (p page) of(n int) (from, to int) {
	from = min(p.start, n)
	return from, min(n, from+p.size)
}

func (p page) head(total, size int) []node {
	return []node{
		leaf("resultTotalRows", strconv.Itoa(total)), leaf("requestedStartRow", strconv.Itoa(p.start)),
		leaf("resultSize", strconv.Itoa(size)), leaf("requestedSize", strconv.Itoa(p.size)),
		leaf("remainingSize", strconv.Itoa(max(0, total-p.start-size))),
	}
}

// customer and group are the numbers of the one account there is.
const (
	customer = "1"
	group    = "1"
)

func iso(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// deviceCore is ws/DeviceCore[/ID]: the inventory.
func (s *Server) deviceCore(w http.ResponseWriter, r *http.Request) {
	const what = "DeviceCore"
	id := strings.ToUpper(rest(r, "/ws/DeviceCore"))
	switch r.Method {
	case http.MethodGet:
		answerList(w, r, s.inventory(id, pageOf(r)))
	case http.MethodPost:
		text, ok := body(w, r, what)
		if !ok {
			return
		}
		new, err := element(text, "devConnectwareId")
		if err == nil && !validID(new) {
			err = fmt.Errorf("%q is no device identifier: 00010000-00000000-0IIIIIII-IIIIIIII for an IMEI", new)
		}
		if err != nil {
			answerError(w, r, http.StatusBadRequest, "POST "+what, err)
			return
		}
		s.mu.Lock()
		d := s.lookUp(new)
		s.mu.Unlock()
		answerNode(w, r, http.StatusCreated, leaf("location", fmt.Sprintf("DeviceCore/%d/0", d.number)))
	case http.MethodDelete:
		s.mu.Lock()
		d := s.devices[id]
		if d != nil {
			delete(s.devices, id)
			s.order = slices.DeleteFunc(s.order, func(i string) bool { return i == id })
		}
		s.mu.Unlock()
		if d == nil {
			answerError(w, r, http.StatusNotFound, "DELETE "+what, errors.New("there is no such device"))
			return
		}
		answerNode(w, r, http.StatusOK, leaf("message", "1 items deleted"))
	default:
		notAllowed(w, r, what, "GET, POST, DELETE")
	}
}

// inventory lists the devices, or the one with an identifier or number.
func (s *Server) inventory(id string, p page) list {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*device
	for _, i := range s.order {
		if d := s.devices[i]; id == "" || i == id || strconv.FormatUint(d.number, 10) == id {
			found = append(found, d)
		}
	}
	from, to := p.of(len(found))
	l := list{head: p.head(len(found), to-from)}
	for _, d := range found[from:to] {
		l.items = append(l.items, d.node())
	}
	return l
}

// node is the device as the inventory shows it.
func (d *device) node() node {
	status := "0"
	if d.link != nil {
		status = "1"
	}
	n := node{name: "DeviceCore", parts: []node{
		{name: "id", parts: []node{leaf("devId", strconv.FormatUint(d.number, 10)), leaf("devVersion", "0")}},
		leaf("devRecordStartDate", iso(d.added)), leaf("devCellularModemId", d.info.IMEI), leaf("devConnectwareId", d.info.ID),
		leaf("cstId", customer), leaf("grpId", group), leaf("devEffectiveStartDate", iso(d.added)), leaf("devTerminated", "false"),
		leaf("dvVendorId", "4261412864"), leaf("dpDeviceType", d.info.Type), leaf("dpFirmwareLevel", strconv.Itoa(int(d.info.Firmware))),
		leaf("dpFirmwareLevelDesc", fmt.Sprintf("%X", d.info.Firmware)), leaf("dpRestrictedStatus", "0"),
		leaf("dpLastKnownIp", d.info.Address), leaf("dpGlobalIp", d.info.Address), leaf("dpConnectionStatus", status),
	}}
	if !d.connected.IsZero() {
		n.parts = append(n.parts, leaf("dpLastConnectTime", iso(d.connected)))
	}
	n.parts = append(n.parts, leaf("dpContact", d.info.Contact), leaf("dpDescription", d.info.Description),
		leaf("dpLocation", d.info.Location), leaf("grpPath", ""))
	if !d.gone.IsZero() {
		n.parts = append(n.parts, leaf("dpLastDisconnectTime", iso(d.gone)))
	}
	return n
}
