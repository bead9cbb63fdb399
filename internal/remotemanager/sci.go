package remotemanager

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/skep-sim/skep/internal/rmlink"
)

// sciError is an error of a device in an SCI reply.
type sciError struct {
	id   int
	desc string
}

func (e *sciError) Error() string { return e.desc }

// sciRequest is what ws/sci takes.
type sciRequest struct {
	XMLName    xml.Name       `xml:"sci_request"`
	Operations []sciOperation `xml:",any"`
}

type sciOperation struct {
	XMLName     xml.Name
	Synchronous string `xml:"synchronous,attr"`
	SyncTimeout string `xml:"syncTimeout,attr"`
	Targets     []struct {
		ID string `xml:"id,attr"`
	} `xml:"targets>device"`
	Requests []deviceRequest `xml:"requests>device_request"`
}

type deviceRequest struct {
	Target string `xml:"target_name,attr"`
	Format string `xml:"format,attr"`
	Text   string `xml:",chardata"`
}

// data is the payload of a request.
func (q deviceRequest) data() ([]byte, error) {
	if q.Format == "base64" {
		b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(q.Text))
		if err != nil {
			return nil, fmt.Errorf("the device_request is no base64: %w", err)
		}
		return b, nil
	}
	return []byte(q.Text), nil
}

// How long a device may take, in the foreground unless the request says
// otherwise.
const (
	syncTimeout = 60 * time.Second
	maxTimeout  = 5 * time.Minute
)

// job is an asynchronous request.
type job struct {
	done   bool
	result string // what stands within <sci_reply>
}

// maxJobs is how many jobs are remembered.
const maxJobs = 1000

// sci is ws/sci: device requests (data_service), and disconnect; GET ws/sci/JOB.
func (s *Server) sci(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPost:
	case http.MethodGet:
		s.sciJob(w, rest(r, "/ws/sci"))
		return
	default:
		notAllowed(w, r, "sci", "GET, POST")
		return
	}
	text, ok := body(w, r, "sci")
	if !ok {
		return
	}
	var q sciRequest
	if err := xml.Unmarshal([]byte(text), &q); err != nil {
		sciReply(w, http.StatusBadRequest, "<error>"+escape("Invalid SCI request. "+err.Error())+"</error>")
		return
	}
	if len(q.Operations) != 1 {
		sciReply(w, http.StatusBadRequest, "<error>Invalid SCI request. It has to have one operation.</error>")
		return
	}
	op := q.Operations[0]
	if op.Synchronous == "false" {
		s.sciLater(w, op)
		return
	}
	sciReply(w, http.StatusOK, s.operate(op, r.Context().Done()))
}

func sciReply(w http.ResponseWriter, status int, inside string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<sci_reply version=\"1.0\">%s</sci_reply>\n", inside)
}

func escape(s string) string {
	var b bytes.Buffer
	xml.EscapeText(&b, []byte(s))
	return b.String()
}

// sciLater begins a job.
func (s *Server) sciLater(w http.ResponseWriter, op sciOperation) {
	s.mu.Lock()
	if len(s.jobs) >= maxJobs {
		clear(s.jobs)
	}
	s.lastID++
	id, j := s.lastID, &job{}
	s.jobs[id] = j
	s.mu.Unlock()
	s.wg.Go(func() {
		result := s.operate(op, s.http.done)
		s.mu.Lock()
		j.done, j.result = true, result
		s.mu.Unlock()
	})
	name := op.XMLName.Local
	sciReply(w, http.StatusOK, fmt.Sprintf("<%s><jobId>%d</jobId></%s>", name, id, name))
}

// sciJob tells what has become of a job.
func (s *Server) sciJob(w http.ResponseWriter, id string) {
	n, err := strconv.ParseUint(id, 10, 64)
	s.mu.Lock()
	j := s.jobs[n]
	var text string
	if j != nil {
		text = "<status>in_progress</status>"
		if j.done {
			text = "<status>complete</status>" + j.result
		}
	}
	s.mu.Unlock()
	if err != nil || j == nil {
		sciReply(w, http.StatusNotFound, "<error>There is no such job.</error>")
		return
	}
	sciReply(w, http.StatusOK, text)
}

// operate does an operation on its targets, at once on all of them.
func (s *Server) operate(op sciOperation, cancel <-chan struct{}) string {
	name := op.XMLName.Local
	limit := syncTimeout
	if n, err := strconv.Atoi(op.SyncTimeout); err == nil && n > 0 {
		limit = min(maxTimeout, time.Duration(n)*time.Second)
	}
	ids, bad := s.targets(op)
	answers := make([]string, len(ids))
	var wg sync.WaitGroup
	for i, id := range ids {
		wg.Go(func() {
			inside, err := s.operateOn(id, op, limit, cancel)
			if err != nil {
				n := 1
				if e, ok := err.(*sciError); ok {
					n = e.id
				}
				inside = fmt.Sprintf(`<error id="%d"><desc>%s</desc></error>`, n, escape(err.Error()))
			}
			answers[i] = fmt.Sprintf(`<device id="%s">%s</device>`, escape(id), inside)
		})
	}
	wg.Wait()
	text := strings.Join(answers, "") + bad
	if len(ids) == 0 {
		text += "<error>Invalid SCI request. No valid targets found.</error>"
	}
	return "<" + name + ">" + text + "</" + name + ">"
}

// targets are the devices that a request names, and what is to be said of those
// that there are not.
func (s *Server) targets(op sciOperation) (ids []string, bad string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range op.Targets {
		id := strings.ToUpper(t.ID)
		switch {
		case id == "ALL":
			ids = append(ids, s.order...)
		case s.devices[id] != nil:
			ids = append(ids, id)
		default:
			bad += fmt.Sprintf(`<device id="%s"><error id="303"><desc>Invalid target. Device not found.</desc></error></device>`, escape(t.ID))
		}
	}
	return ids, bad
}

// operateOn does an operation on one device.
func (s *Server) operateOn(id string, op sciOperation, limit time.Duration, cancel <-chan struct{}) (string, error) {
	switch op.XMLName.Local {
	case "data_service":
	case "disconnect":
		s.mu.Lock()
		l := s.devices[id].link
		s.mu.Unlock()
		if l == nil {
			return "", errNotConnected
		}
		l.post(rmlink.Message{Type: rmlink.Disconnect})
		return "<disconnected/>", nil
	default:
		return "", fmt.Errorf("the local Remote Manager does data_service and disconnect, and no %s", op.XMLName.Local)
	}
	var b strings.Builder
	for _, q := range op.Requests {
		data, err := q.data()
		if err != nil {
			return "", err
		}
		m, err := s.ask(id, q.Target, data, limit, cancel)
		if err != nil {
			return "", err
		}
		format, text := "", escape(string(m.Data))
		if !utf8.Valid(m.Data) || q.Format == "base64" {
			format, text = ` format="base64"`, base64.StdEncoding.EncodeToString(m.Data)
		}
		fmt.Fprintf(&b, `<device_request target_name="%s" status="%d"%s>%s</device_request>`, escape(q.Target), m.Status, format, text)
	}
	if b.Len() == 0 {
		return "", fmt.Errorf("the data_service has no <requests> with a <device_request>")
	}
	return "<requests>" + b.String() + "</requests>", nil
}
