package shadow

import "strconv"

// applySection gives the section after a request that names it (req an object or null) or does
// not (nil). An emptied section is dropped.
func applySection(old, req *value, at int64) *value {
	switch {
	case req == nil:
		return old
	case req.kind == kindNull:
		return nil
	}
	if next := merge(old, req, at); !next.empty() {
		return next
	}
	return nil
}

// merge lays req over old: members of objects one by one, null removes, all else replaces.
func merge(old, req *value, at int64) *value {
	if req.kind != kindObject {
		leaf := deepCopy(req)
		leaf.stamp(at)
		return leaf
	}
	next := &value{kind: kindObject}
	if old != nil && old.kind == kindObject {
		next = old.clone()
	}
	for i, key := range req.keys {
		e := req.elems[i]
		if e.kind == kindNull {
			next.set(key, nil)
		} else {
			next.set(key, merge(next.get(key), e, at))
		}
	}
	return next
}

func deepCopy(v *value) *value {
	c := v.clone()
	for i, e := range c.elems {
		c.elems[i] = deepCopy(e)
	}
	return c
}

// delta is the part of desired that reported does not agree with; nil when it does. Nested
// objects are compared member by member, arrays as a whole, and what is only reported never
// appears.
func delta(desired, reported *value) *value {
	if desired == nil {
		return nil
	}
	if reported == nil {
		return desired
	}
	if desired.kind != kindObject || reported.kind != kindObject {
		if equal(desired, reported) {
			return nil
		}
		return desired
	}
	d := &value{kind: kindObject}
	for i, key := range desired.keys {
		if e := delta(desired.elems[i], reported.get(key)); e != nil {
			d.keys = append(d.keys, key)
			d.elems = append(d.elems, e)
		}
	}
	if len(d.keys) == 0 {
		return nil
	}
	return d
}

// accepted answers an update: the fields of the request, with the times they got.
func (r *request) accepted(next *Document) []byte {
	b := append((&Document{desired: r.desired, reported: r.reported}).room(1), `{"state":{`...)
	b = appendSections(b, (*value).appendJSON, section{`"desired":`, r.desired}, section{`"reported":`, r.reported})
	b = append(b, `},"metadata":{`...)
	b = appendSections(b, (*value).appendMeta,
		section{`"desired":`, stamped(r.desired, next.timestamp)}, section{`"reported":`, stamped(r.reported, next.timestamp)})
	b = append(b, '}')
	return endWithToken(appendStamp(b, next.version, next.timestamp), r.token)
}

// stamped is a request's section with its times; nothing for a section that is null.
func stamped(v *value, at int64) *value {
	if v == nil || v.kind == kindNull {
		return nil
	}
	v.stamp(at)
	return v
}

func (d *Document) deltaMessage(token string) []byte {
	diff := delta(d.desired, d.reported)
	if diff == nil {
		return nil
	}
	b := append([]byte(`{"version":`), strconv.FormatUint(d.version, 10)...)
	b = strconv.AppendInt(append(b, `,"timestamp":`...), d.timestamp, 10)
	b = diff.appendJSON(append(b, `,"state":`...))
	b = diff.appendMeta(append(b, `,"metadata":`...))
	return endWithToken(b, token)
}

func documentsMessage(before, after *Document, token string) []byte {
	b := append(after.room(2), `{"previous":`...)
	if before.Exists() {
		b = before.appendFull(b)
	} else {
		b = append(b, `{"state":{},"metadata":{},"version":0}`...)
	}
	b = append(b, `,"current":`...)
	b = after.appendFull(b)
	b = strconv.AppendInt(append(b, `,"timestamp":`...), after.timestamp, 10)
	return endWithToken(b, token)
}

// appendFull writes state, metadata and version.
func (d *Document) appendFull(b []byte) []byte {
	b = d.appendState(append(b, `{"state":`...), false)
	b = d.appendMetadata(append(b, `,"metadata":`...))
	b = strconv.AppendUint(append(b, `,"version":`...), d.version, 10)
	return append(b, '}')
}

func (d *Document) appendState(b []byte, withDelta bool) []byte {
	sections := []section{{`"desired":`, d.desired}, {`"reported":`, d.reported}}
	if withDelta {
		sections = append(sections, section{`"delta":`, delta(d.desired, d.reported)})
	}
	return append(appendSections(append(b, '{'), (*value).appendJSON, sections...), '}')
}

func (d *Document) appendMetadata(b []byte) []byte {
	return append(appendSections(append(b, '{'), (*value).appendMeta,
		section{`"desired":`, d.desired}, section{`"reported":`, d.reported}), '}')
}

// stateSize is how many bytes of JSON the state is.
func (d *Document) stateSize() int {
	size, _ := d.measure()
	return size
}

// measure gives the bytes of the state and its leaves.
func (d *Document) measure() (size, leaves int) {
	size = len(`{}`)
	for _, s := range [...]section{{`"desired":`, d.desired}, {`,"reported":`, d.reported}} {
		if s.v == nil {
			continue
		}
		n, l := s.v.measure()
		size, leaves = size+len(s.name)+n, leaves+l
	}
	if d.desired == nil && d.reported != nil {
		size-- // no comma
	}
	return size, leaves
}

// room is a buffer for a message that has the document n times, with its metadata.
func (d *Document) room(n int) []byte {
	size, leaves := d.measure()
	return make([]byte, 0, n*(2*size+32*leaves+96)+128)
}

type section struct {
	name string
	v    *value
}

// appendSections writes those sections that are there.
func appendSections(b []byte, write func(*value, []byte) []byte, sections ...section) []byte {
	first := true
	for _, s := range sections {
		if s.v == nil {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = write(s.v, append(b, s.name...))
	}
	return b
}

// appendStamp ends a document with its version and time.
func appendStamp(b []byte, version uint64, timestamp int64) []byte {
	b = strconv.AppendUint(append(b, `,"version":`...), version, 10)
	return strconv.AppendInt(append(b, `,"timestamp":`...), timestamp, 10)
}
