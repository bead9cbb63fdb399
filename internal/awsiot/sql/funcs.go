package sql

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"unicode/utf8"
)

// function is one of AWS's functions.
type function struct {
	least, most  int
	wholePayload bool // takes * as an argument
	// prepare looks at the arguments when the statement is parsed; what it gives comes back
	// as ready.
	prepare func(args []node) (ready any, err error)
	do      func(r *run, args []value, ready any) value
}

func (f *function) takes() string {
	switch {
	case f.most == 0:
		return "no argument"
	case f.most == 1 && f.least == 1:
		return "1 argument"
	case f.most == f.least:
		return fmt.Sprintf("%d arguments", f.most)
	}
	return fmt.Sprintf("%d to %d arguments", f.least, f.most)
}

// elsewhere are the functions that ask other services.
var elsewhere = map[string]string{
	"aws_lambda":              "there are no Lambda functions here",
	"get_dynamodb":            "there is no DynamoDB here",
	"get_secret":              "there is no Secrets Manager here; in a rule's own file a secret can be written as it is",
	"machinelearning_predict": "there are no models here",
	"get_registry_data":       "rules do not see the registry here",
}

// functions are all there are, by name in lower case.
var functions = merged(contextFunctions, textFunctions, numberFunctions, valueFunctions, timeFunctions)

func merged(tables ...map[string]*function) map[string]*function {
	all := map[string]*function{}
	for _, t := range tables {
		for name, f := range t {
			all[name] = f
		}
	}
	return all
}

// nullary wraps a function without arguments.
func nullary(f func(r *run) value) *function {
	return &function{do: func(r *run, _ []value, _ any) value { return f(r) }}
}

// contextFunctions say something of the message and the rule.
var contextFunctions = map[string]*function{
	"accountid":   nullary(func(r *run) value { return str(r.in.env.Account) }),
	"principal":   nullary(func(r *run) value { return orUndefined(r.in.m.Principal) }),
	"traceid":     nullary(func(r *run) value { return orUndefined(r.in.m.TraceID) }),
	"sourceip":    nullary(func(r *run) value { return orUndefined(r.in.m.SourceIP) }),
	"sql_version": nullary(func(*run) value { return str(Version) }),
	"timestamp":   nullary(func(r *run) value { return integer(r.in.env.Now().UnixMilli()) }),
	"newuuid":     nullary(newUUID),
	"rand":        nullary(random),
	"clientid": nullary(func(r *run) value {
		if r.in.m.ClientID == "" {
			return str("n/a")
		}
		return str(r.in.m.ClientID)
	}),
	"topic":               {least: 0, most: 1, do: topic},
	"get_thing_shadow":    {least: 2, most: 3, do: thingShadow},
	"get_mqtt_property":   {least: 1, most: 1, do: mqttProperty},
	"get_user_properties": {least: 0, most: 1, do: userProperties},
}

// Version is the version of SQL.
const Version = "2016-03-23"

func orUndefined(s string) value {
	if s == "" {
		return undefined
	}
	return str(s)
}

func newUUID(r *run) value {
	var b [16]byte
	if _, err := io.ReadFull(r.in.env.Rand, b[:]); err != nil {
		return r.fail("newuuid(): no entropy: %v", err)
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return str(fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]))
}

func random(r *run) value {
	if r.in.random == nil {
		var seed [16]byte
		if _, err := io.ReadFull(r.in.env.Rand, seed[:]); err != nil {
			return r.fail("rand(): no entropy: %v", err)
		}
		r.in.random = rand.New(rand.NewPCG(binary.LittleEndian.Uint64(seed[:8]), binary.LittleEndian.Uint64(seed[8:])))
	}
	return decimal(decFloat(r.in.random.Float64()))
}

func topic(r *run, args []value, _ any) value {
	if len(args) == 0 {
		return str(r.in.m.Topic)
	}
	n, ok := args[0].toIndex()
	levels := strings.Split(r.in.m.Topic, "/")
	if !ok || n < 1 || n > len(levels) {
		return undefined
	}
	return str(levels[n-1])
}

// thingShadow is get_thing_shadow(thing[, shadow], role). Here the service is its own, so the
// role counts for nothing, but it must be there as at AWS.
func thingShadow(r *run, args []value, _ any) value {
	for _, a := range args {
		if a.kind != kindString {
			return undefined
		}
	}
	if r.in.env.Shadow == nil {
		return r.fail("get_thing_shadow() cannot be used in an error action")
	}
	name := ""
	if len(args) == 3 {
		name = args[1].text
	}
	text, err := r.in.env.Shadow(args[0].text, name)
	if err != nil {
		return r.fail("get_thing_shadow(): %v", err)
	}
	doc, ok := parseJSON(text)
	if !ok || !r.charge(len(text)/16) {
		return undefined
	}
	return doc
}

func mqttProperty(r *run, args []value, _ any) value {
	p := &r.in.m.Property
	if args[0].kind != kindString {
		return undefined
	}
	switch args[0].text {
	case "content_type":
		return orUndefined(p.ContentType)
	case "response_topic":
		return orUndefined(p.ResponseTopic)
	case "correlation_data":
		if p.CorrelationData == nil {
			return undefined
		}
		return str(base64.StdEncoding.EncodeToString(p.CorrelationData))
	case "format_indicator":
		switch {
		case p.UTF8 == nil:
			return undefined
		case *p.UTF8:
			return str("UTF8_DATA")
		}
		return str("UNSPECIFIED_BYTES")
	}
	return undefined
}

// userProperties gives the values of one key, or all as objects of one member.
func userProperties(r *run, args []value, _ any) value {
	if len(args) == 1 && args[0].kind != kindString {
		return undefined
	}
	var out []value
	for _, kv := range r.in.m.Property.User {
		if len(args) == 0 {
			one := &list{}
			one.set(kv[0], str(kv[1]))
			out = append(out, object(one))
		} else if kv[0] == args[0].text {
			out = append(out, str(kv[1]))
		}
	}
	if len(out) == 0 {
		return undefined
	}
	return array(out)
}

// valueFunctions work on any type.
var valueFunctions = map[string]*function{
	"isnull":         {least: 1, most: 1, do: func(_ *run, a []value, _ any) value { return boolean(a[0].kind == kindNull) }},
	"isundefined":    {least: 1, most: 1, do: func(_ *run, a []value, _ any) value { return boolean(a[0].kind == kindUndefined) }},
	"nanvl":          {least: 2, most: 2, do: nanvl},
	"get":            {least: 2, most: 2, do: get},
	"get_or_default": {least: 2, most: 2, do: getOrDefault},
	"concat":         {least: 0, most: 1 << 10, do: concat},
	"transform":      {least: 3, most: 3, do: transform},
	"decode":         {least: 2, most: 2, prepare: base64Only(1), do: decode},
	"encode":         {least: 2, most: 2, wholePayload: true, prepare: base64Only(1), do: encode},
}

// nanvl gives its second argument for what is no value; a Decimal is never NaN here.
func nanvl(_ *run, a []value, _ any) value {
	if a[0].kind == kindUndefined || a[0].kind == kindNull {
		return a[1]
	}
	return a[0]
}

func getOrDefault(_ *run, a []value, _ any) value {
	if a[0].kind == kindUndefined {
		return a[1]
	}
	return a[0]
}

func get(_ *run, a []value, _ any) value {
	switch a[0].kind {
	case kindObject:
		if a[1].kind != kindString {
			return undefined
		}
		return a[0].member(a[1].text)
	case kindArray:
		if i, ok := a[1].toIndex(); ok && i >= 0 && i < len(a[0].list.elems) {
			return a[0].list.elems[i]
		}
	case kindString:
		i, ok := a[1].toIndex()
		if !ok || i < 0 {
			return undefined
		}
		for _, c := range a[0].text {
			if i == 0 {
				return str(string(c))
			}
			i--
		}
	}
	return undefined
}

// concat puts arrays together if there is one among the arguments, else strings.
func concat(r *run, a []value, _ any) value {
	arrays, strs := false, false
	for _, v := range a {
		arrays = arrays || v.kind == kindArray
		strs = strs || v.kind == kindString
	}
	switch {
	case len(a) == 1:
		return a[0]
	case arrays:
		var out []value
		for _, v := range a {
			if v.kind == kindArray {
				out = append(out, v.list.elems...)
			} else if v.kind != kindUndefined {
				out = append(out, v)
			}
			if !r.charge(len(out)) {
				return undefined
			}
		}
		return array(out)
	case strs:
		var b strings.Builder
		for _, v := range a {
			s, ok := v.toString()
			if !ok || !r.text(b.Len()+len(s)) {
				return undefined
			}
			b.WriteString(s)
		}
		return str(b.String())
	}
	return undefined
}

// transform knows one mode: each object of the array gets the members of the object.
func transform(r *run, a []value, _ any) value {
	if a[0].kind != kindString || a[0].text != "enrichArray" || a[1].kind != kindObject || a[2].kind != kindArray {
		return undefined
	}
	extra := a[1].list
	var out []value
	for _, e := range a[2].list.elems {
		if e.kind != kindObject || !r.charge(len(extra.keys)+len(e.list.keys)) {
			return undefined
		}
		members := e.list.clone(len(extra.keys))
		for i, k := range extra.keys {
			members.set(k, extra.elems[i])
		}
		out = append(out, object(members))
	}
	return array(out)
}

// base64Only refuses, when the statement is parsed, the schemes that are not there.
func base64Only(arg int) func([]node) (any, error) {
	return func(args []node) (any, error) {
		l, ok := args[arg].(literal)
		if !ok || l.v.kind != kindString {
			return nil, fmt.Errorf("the scheme is a literal string, 'base64'")
		}
		if l.v.text != "base64" {
			return nil, fmt.Errorf("the scheme %q is not available locally, 'base64' is", l.v.text)
		}
		return nil, nil
	}
}

// decode gives Null for what cannot be decoded, and for bytes that are no text.
func decode(r *run, a []value, _ any) value {
	s, ok := a[0].toString()
	if !ok {
		return undefined
	}
	text, err := base64.StdEncoding.DecodeString(s)
	if err != nil || !utf8.Valid(text) {
		return null()
	}
	if !r.charge(len(text)/16 + 1) {
		return undefined
	}
	if json.Valid(text) {
		if v, ok := parseJSON(text); ok {
			return v
		}
	}
	return str(string(text))
}

func encode(r *run, a []value, _ any) value {
	s, ok := a[0].toString()
	if !ok || !r.text(base64.StdEncoding.EncodedLen(len(s))) {
		return undefined
	}
	return str(base64.StdEncoding.EncodeToString([]byte(s)))
}
