package shadow

import (
	"errors"
	"strconv"
)

// Encode gives the form a document is stored in: JSON with state, metadata and the counters.
func (d *Document) Encode() []byte {
	b := d.appendState(append(d.room(1), `{"state":`...), false)
	b = d.appendMetadata(append(b, `,"metadata":`...))
	b = appendStamp(b, d.version, d.timestamp)
	if d.deletedAt != 0 {
		b = strconv.AppendInt(append(b, `,"deletedAt":`...), d.deletedAt, 10)
	}
	return append(b, '}')
}

// Decode reads what Encode wrote.
func Decode(text []byte) (*Document, error) {
	root, err := parse(text)
	if err != nil || root.kind != kindObject {
		return nil, errors.New("the stored shadow is damaged: not a JSON object")
	}
	d := &Document{}
	state, meta := root.get(`"state"`), root.get(`"metadata"`)
	if state == nil || meta == nil || state.kind != kindObject || meta.kind != kindObject {
		return nil, errors.New("the stored shadow is damaged: state or metadata is missing")
	}
	d.desired, d.reported = state.get(`"desired"`), state.get(`"reported"`)
	for _, s := range []section{{`"desired"`, d.desired}, {`"reported"`, d.reported}} {
		if s.v == nil {
			continue
		}
		m := meta.get(s.name)
		if s.v.kind != kindObject || m == nil || !readTimes(s.v, m) {
			return nil, errors.New("the stored shadow is damaged: state and metadata do not fit together")
		}
	}
	if d.version, err = strconv.ParseUint(number(root, `"version"`), 10, 64); err != nil {
		return nil, errors.New("the stored shadow is damaged: no version")
	}
	if d.timestamp, err = strconv.ParseInt(number(root, `"timestamp"`), 10, 64); err != nil {
		return nil, errors.New("the stored shadow is damaged: no timestamp")
	}
	if root.get(`"deletedAt"`) != nil {
		if d.deletedAt, err = strconv.ParseInt(number(root, `"deletedAt"`), 10, 64); err != nil {
			return nil, errors.New("the stored shadow is damaged: bad deletedAt")
		}
	}
	return d, nil
}

func number(root *value, key string) string {
	if v := root.get(key); v != nil {
		return v.text
	}
	return ""
}

// readTimes puts the metadata's times onto the leaves of a state of the same shape.
func readTimes(v, meta *value) bool {
	if v.kind == kindScalar {
		at, err := strconv.ParseInt(number(meta, `"timestamp"`), 10, 64)
		v.at = at
		return err == nil
	}
	if v.kind == kindNull || meta.kind != v.kind || len(meta.elems) != len(v.elems) {
		return false
	}
	for i, e := range v.elems {
		m := meta.elems[i]
		if v.kind == kindObject {
			if m = meta.get(v.keys[i]); m == nil {
				return false
			}
		}
		if !readTimes(e, m) {
			return false
		}
	}
	return true
}
