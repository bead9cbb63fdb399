package shadow

import (
	"errors"
	"strconv"
	"time"
)

var errTooDeep = errors.New("too deep")

// Limits are the service's limits on a shadow.
type Limits struct {
	MaxSize  int           // bytes of state, without metadata; AWS: 8 KB
	MaxDepth int           // levels below desired and reported; AWS's message says 6
	MaxToken int           // bytes of clientToken; AWS: 64
	Memory   time.Duration // how long a deleted shadow's version is remembered; AWS: 48 h
}

// DefaultLimits are AWS's.
func DefaultLimits() Limits {
	return Limits{MaxSize: 8 << 10, MaxDepth: 6, MaxToken: 64, Memory: 48 * time.Hour}
}

// Document is a stored shadow, or the memory of a deleted one. It is not changed after it has
// been made.
type Document struct {
	desired, reported *value // objects; nil when absent
	version           uint64
	timestamp         int64 // of the last change
	deletedAt         int64 // 0 while the shadow exists
}

// Version counts the changes; the first is 1.
func (d *Document) Version() uint64 { return d.version }

// Exists says whether there is a shadow, not only the memory of one.
func (d *Document) Exists() bool { return d != nil && d.deletedAt == 0 }

// Updated is what an accepted update makes known.
type Updated struct {
	Accepted  []byte // to the requester
	Delta     []byte // nil when desired and reported agree
	Documents []byte // the document before and after
}

// request is an update request taken apart.
type request struct {
	token      string
	desired    *value // object, null or nil when not named
	reported   *value
	hasVersion bool
	version    uint64
}

// Update applies a request to doc (nil when there is none) and gives the document to store.
func (l Limits) Update(doc *Document, payload []byte, now time.Time) (*Document, *Updated, *Error) {
	req, refusal := l.parseUpdate(payload)
	if refusal != nil {
		return nil, nil, refusal
	}
	current := l.remembered(doc, now)
	if req.hasVersion && req.version != current {
		return nil, nil, errConflict.with(req.token)
	}
	at := now.Unix()
	next := &Document{version: current + 1, timestamp: at}
	if doc.Exists() {
		next.desired, next.reported = doc.desired, doc.reported
	}
	next.desired = applySection(next.desired, req.desired, at)
	next.reported = applySection(next.reported, req.reported, at)
	if next.stateSize() > l.MaxSize {
		return nil, nil, errTooLarge.with(req.token)
	}
	if max(sectionDepth(next.desired), sectionDepth(next.reported)) > l.MaxDepth {
		return nil, nil, tooDeep(l.MaxDepth).with(req.token)
	}
	return next, &Updated{
		Accepted:  req.accepted(next),
		Delta:     next.deltaMessage(req.token),
		Documents: documentsMessage(doc, next, req.token),
	}, nil
}

// Get answers a get request; over MQTT the payload may carry a clientToken, over HTTPS it is
// empty. name is for the message when there is no shadow.
func (l Limits) Get(doc *Document, name string, payload []byte, now time.Time) ([]byte, *Error) {
	token, refusal := l.parseToken(payload)
	if refusal != nil {
		return nil, refusal
	}
	if !doc.Exists() {
		return nil, notFound(name).with(token)
	}
	b := append(doc.appendState(append(doc.room(2), `{"state":`...), true), `,"metadata":`...)
	b = doc.appendMetadata(b)
	return endWithToken(appendStamp(b, doc.version, now.Unix()), token), nil
}

// Delete gives the memory of doc to store instead of it, and the answer. Of the payload only a
// clientToken counts, if there is one: "The content of the message is ignored" (AWS: "Device
// Shadow MQTT topics").
func (l Limits) Delete(doc *Document, name string, payload []byte, now time.Time) (*Document, []byte, *Error) {
	token := l.Token(payload)
	if !doc.Exists() {
		return nil, nil, notFound(name).with(token)
	}
	at := now.Unix()
	b := append([]byte(`{"version":`), strconv.FormatUint(doc.version, 10)...)
	b = strconv.AppendInt(append(b, `,"timestamp":`...), at, 10)
	return &Document{version: doc.version, timestamp: at, deletedAt: max(at, 1)}, endWithToken(b, token), nil
}

// remembered is the version an update continues from: a deleted shadow's counts for 48 hours.
func (l Limits) remembered(doc *Document, now time.Time) uint64 {
	if doc == nil || !doc.Exists() && now.Sub(time.Unix(doc.deletedAt, 0)) > l.Memory {
		return 0
	}
	return doc.version
}

func (l Limits) parseUpdate(payload []byte) (*request, *Error) {
	root, refusal := l.parseRoot(payload)
	if refusal != nil {
		return nil, refusal
	}
	req := &request{}
	if req.token, refusal = l.token(root); refusal != nil {
		return nil, refusal
	}
	if v := root.get(`"version"`); v != nil && v.kind != kindNull {
		n, err := strconv.ParseUint(v.text, 10, 64)
		if err != nil {
			return nil, errVersion.with(req.token)
		}
		req.hasVersion, req.version = true, n
	}
	state := root.get(`"state"`)
	switch {
	case state == nil:
		return nil, errNoState.with(req.token)
	case state.kind == kindNull:
		// AWS: a null state does not delete the shadow; it empties it.
		req.desired, req.reported = state, state
		return req, nil
	case state.kind != kindObject:
		return nil, errStateObject.with(req.token)
	}
	for i, key := range state.keys {
		section := state.elems[i]
		isObject := section.kind == kindObject || section.kind == kindNull
		switch key {
		case `"desired"`:
			if !isObject {
				return nil, errDesiredObject.with(req.token)
			}
			req.desired = section
		case `"reported"`:
			if !isObject {
				return nil, errReportedObject.with(req.token)
			}
			req.reported = section
		default:
			return nil, invalidNode(key[1 : len(key)-1]).with(req.token)
		}
		if section.depth() > l.MaxDepth {
			return nil, tooDeep(l.MaxDepth).with(req.token)
		}
		if bad := nullInArray(section, key[1:len(key)-1]); bad != "" {
			return nil, invalidNode(bad).with(req.token)
		}
	}
	if size := (&Document{desired: req.desired, reported: req.reported}).stateSize(); size > l.MaxSize {
		return nil, errTooLarge.with(req.token)
	}
	return req, nil
}

func (l Limits) parseRoot(payload []byte) (*value, *Error) {
	// White space is not state, but a request this far above the limit is not worth reading.
	if len(payload) > 4*l.MaxSize+1024 {
		return nil, errTooLarge.with("")
	}
	if !validUTF8(payload) {
		return nil, errEncoding.with("")
	}
	root, err := parse(payload)
	switch {
	case errors.Is(err, errTooDeep):
		return nil, tooDeep(l.MaxDepth).with("")
	case err != nil || root.kind != kindObject:
		return nil, errInvalidJSON.with("")
	}
	return root, nil
}

// parseToken reads the body of a get or delete request, which may be empty.
func (l Limits) parseToken(payload []byte) (string, *Error) {
	if len(payload) == 0 {
		return "", nil
	}
	root, refusal := l.parseRoot(payload)
	if refusal != nil {
		return "", refusal
	}
	return l.token(root)
}

func (l Limits) token(root *value) (string, *Error) {
	v := root.get(`"clientToken"`)
	if v == nil || v.kind == kindNull {
		return "", nil
	}
	token, ok := v.unquote()
	if !ok || len(token) > l.MaxToken {
		return "", errClientToken.with("")
	}
	return token, nil
}

// nullInArray names the member whose array has a null in it, which AWS refuses.
func nullInArray(v *value, name string) string {
	for i, e := range v.elems {
		inner := name
		if v.kind == kindObject {
			inner = v.keys[i][1 : len(v.keys[i])-1]
		} else if e.kind == kindNull {
			return name
		}
		if bad := nullInArray(e, inner); bad != "" {
			return bad
		}
	}
	return ""
}

func sectionDepth(v *value) int {
	if v == nil {
		return 0
	}
	return v.depth()
}

// Token reads a request's clientToken, "" if it has none or cannot be read.
func (l Limits) Token(payload []byte) string {
	token, _ := l.parseToken(payload)
	return token
}
