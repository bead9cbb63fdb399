package remotemanager

import (
	"errors"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/skep-sim/skep/internal/rmlink"
)

// file is one that a device has uploaded.
type file struct {
	kind     string
	data     []byte
	modified time.Time
}

// maxFiles is how many files are kept, and maxFile how long one may become.
const (
	maxFiles = 1000
	maxFile  = 4 << 20
)

// addFile keeps what a device has uploaded, below its own directory.
func (s *Server) addFile(id string, m rmlink.Message) error {
	name := path.Join("/~", id, path.Join("/", m.Name))
	if m.Status == rmlink.Transient {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.files[name]
	if f == nil {
		if len(s.files) >= maxFiles {
			return errors.New("there are too many files")
		}
		f = &file{}
	}
	data := m.Data
	if m.Status == rmlink.AppendTo {
		data = append(slices.Clone(f.data), m.Data...)
	}
	if len(data) > maxFile {
		return errors.New("the file has become too long")
	}
	s.files[name] = &file{kind: m.Kind, data: data, modified: s.conf.Now()}
	return nil
}

// fileData is ws/FileData[/~/DEVICE/PATH]: a file's content, or a list of those
// below a directory.
func (s *Server) fileData(w http.ResponseWriter, r *http.Request) {
	const what = "FileData"
	name := path.Join("/", strings.TrimPrefix(r.URL.Path, "/ws/FileData"))
	switch r.Method {
	case http.MethodGet:
		s.mu.Lock()
		f := s.files[name]
		s.mu.Unlock()
		if f == nil {
			answerList(w, r, s.fileList(strings.TrimSuffix(name, ".json"), pageOf(r)))
			return
		}
		w.Header().Set("Content-Type", f.kind)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Write(f.data)
	case http.MethodDelete:
		s.mu.Lock()
		f := s.files[name]
		delete(s.files, name)
		s.mu.Unlock()
		if f == nil {
			answerError(w, r, http.StatusNotFound, "DELETE "+what, errors.New("there is no such file"))
			return
		}
		answerNode(w, r, http.StatusOK, leaf("message", "1 items deleted"))
	default:
		notAllowed(w, r, what, "GET, DELETE")
	}
}

func (s *Server) fileList(dir string, p page) list {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, n := range slices.Sorted(maps.Keys(s.files)) {
		if strings.HasPrefix(n, strings.TrimSuffix(dir, "/")+"/") {
			names = append(names, n)
		}
	}
	from, to := p.of(len(names))
	l := list{head: p.head(len(names), to-from)}
	for _, n := range names[from:to] {
		f := s.files[n]
		at, base := path.Split(n)
		l.items = append(l.items, node{name: "FileData", parts: []node{
			{name: "id", parts: []node{leaf("fdPath", at), leaf("fdName", base)}},
			leaf("cstId", customer), leaf("fdCreatedDate", iso(f.modified)), leaf("fdLastModifiedDate", iso(f.modified)),
			leaf("fdContentType", f.kind), leaf("fdSize", strconv.Itoa(len(f.data))), leaf("fdType", "file"),
		}})
	}
	return l
}
