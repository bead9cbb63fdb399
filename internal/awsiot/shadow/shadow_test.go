package shadow

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

var start = time.Unix(1500000000, 0)

// step is a request and what it must give. Times in the answers are counted from start.
type step struct {
	op      string // update (when empty), get, delete, wait
	request string
	want    string // accepted, or "CODE message"
	delta   string // the delta message, "" for none
	docs    string // the documents message, not compared when empty
}

// run plays the steps on one shadow, storing and loading the document between them.
func run(t *testing.T, l Limits, steps []step) {
	t.Helper()
	var doc *Document
	now := start
	for i, s := range steps {
		if doc != nil {
			text := doc.Encode()
			loaded, err := Decode(text)
			if err != nil {
				t.Fatalf("step %d: %v\n%s", i, err, text)
			}
			if !reflect.DeepEqual(doc.Encode(), loaded.Encode()) {
				t.Fatalf("step %d: stored %s, loaded %s", i, text, loaded.Encode())
			}
			doc = loaded
		}
		var got, delta, docs []byte
		var refusal *Error
		switch s.op {
		case "wait":
			d, err := time.ParseDuration(s.request)
			if err != nil {
				t.Fatal(err)
			}
			now = now.Add(d)
			continue
		case "get":
			got, refusal = l.Get(doc, "T", []byte(s.request), now)
		case "delete":
			var next *Document
			if next, got, refusal = l.Delete(doc, "T", []byte(s.request), now); refusal == nil {
				doc = next
			}
		default:
			next, out, e := l.Update(doc, []byte(s.request), now)
			if refusal = e; e == nil {
				doc, got, delta, docs = next, out.Accepted, out.Delta, out.Documents
			}
		}
		if refusal != nil {
			got = []byte(refusal.Error())
		} else if !json.Valid(got) || delta != nil && !json.Valid(delta) || docs != nil && !json.Valid(docs) {
			t.Fatalf("step %d: not JSON: %s %s %s", i, got, delta, docs)
		}
		check := func(what, got, want string) {
			t.Helper()
			if got = relative(got); got != want {
				t.Fatalf("step %d %s %s: %s is\n  %s\nwant\n  %s", i, s.op, s.request, what, got, want)
			}
		}
		check("answer", string(got), s.want)
		check("delta", string(delta), s.delta)
		if s.docs != "" {
			check("documents", string(docs), s.docs)
		}
	}
}

// relative turns 1500000007 into @7, so that answers are readable.
func relative(s string) string {
	s = strings.ReplaceAll(s, `{"timestamp":15000000`, `{@`)
	return strings.ReplaceAll(s, `"timestamp":15000000`, `@`)
}

func TestFlow(t *testing.T) {
	l := DefaultLimits()
	for _, tt := range []struct {
		name  string
		steps []step
	}{
		{"first report", []step{{
			request: `{"state":{"reported":{"a":1}}}`,
			want:    `{"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{@00}}},"version":1,@00}`,
			docs:    `{"previous":{"state":{},"metadata":{},"version":0},"current":{"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{@00}}},"version":1},@00}`,
		}}},
		{"desired, delta, report", []step{
			{
				request: `{"state":{"desired":{"a":1,"b":{"c":[1,2],"d":true}}},"clientToken":"tok"}`,
				want:    `{"state":{"desired":{"a":1,"b":{"c":[1,2],"d":true}}},"metadata":{"desired":{"a":{@00},"b":{"c":[{@00},{@00}],"d":{@00}}}},"version":1,@00,"clientToken":"tok"}`,
				delta:   `{"version":1,@00,"state":{"a":1,"b":{"c":[1,2],"d":true}},"metadata":{"a":{@00},"b":{"c":[{@00},{@00}],"d":{@00}}},"clientToken":"tok"}`,
			},
			{op: "wait", request: "5s"},
			{
				request: `{"state":{"reported":{"a":1,"b":{"c":[1,3],"x":0}}}}`,
				want:    `{"state":{"reported":{"a":1,"b":{"c":[1,3],"x":0}}},"metadata":{"reported":{"a":{@05},"b":{"c":[{@05},{@05}],"x":{@05}}}},"version":2,@05}`,
				delta:   `{"version":2,@05,"state":{"b":{"c":[1,2],"d":true}},"metadata":{"b":{"c":[{@00},{@00}],"d":{@00}}}}`,
			},
			{
				op: "get", request: `{"clientToken":"g"}`,
				want: `{"state":{"desired":{"a":1,"b":{"c":[1,2],"d":true}},"reported":{"a":1,"b":{"c":[1,3],"x":0}},"delta":{"b":{"c":[1,2],"d":true}}},` +
					`"metadata":{"desired":{"a":{@00},"b":{"c":[{@00},{@00}],"d":{@00}}},"reported":{"a":{@05},"b":{"c":[{@05},{@05}],"x":{@05}}}},"version":2,@05,"clientToken":"g"}`,
			},
			{
				request: `{"state":{"reported":{"b":{"c":[1,2],"d":true}}}}`,
				want:    `{"state":{"reported":{"b":{"c":[1,2],"d":true}}},"metadata":{"reported":{"b":{"c":[{@05},{@05}],"d":{@05}}}},"version":3,@05}`,
			},
		}},
		{"null removes", []step{
			{request: `{"state":{"desired":{"a":1},"reported":{"a":1,"b":{"c":1,"d":2}}}}`, want: `{"state":{"desired":{"a":1},"reported":{"a":1,"b":{"c":1,"d":2}}},"metadata":{"desired":{"a":{@00}},"reported":{"a":{@00},"b":{"c":{@00},"d":{@00}}}},"version":1,@00}`},
			{request: `{"state":{"reported":{"a":null,"b":{"c":null}}}}`, want: `{"state":{"reported":{"a":null,"b":{"c":null}}},"metadata":{"reported":{"b":{}}},"version":2,@00}`, delta: `{"version":2,@00,"state":{"a":1},"metadata":{"a":{@00}}}`},
			{request: `{"state":{"desired":null}}`, want: `{"state":{"desired":null},"metadata":{},"version":3,@00}`},
			{op: "get", want: `{"state":{"reported":{"b":{"d":2}}},"metadata":{"reported":{"b":{"d":{@00}}}},"version":3,@00}`},
			{request: `{"state":null}`, want: `{"state":{"desired":null,"reported":null},"metadata":{},"version":4,@00}`},
			{op: "get", want: `{"state":{},"metadata":{},"version":4,@00}`},
		}},
		{"emptied section goes away", []step{
			{request: `{"state":{"desired":{"a":1}}}`, want: `{"state":{"desired":{"a":1}},"metadata":{"desired":{"a":{@00}}},"version":1,@00}`, delta: `{"version":1,@00,"state":{"a":1},"metadata":{"a":{@00}}}`},
			{request: `{"state":{"desired":{"a":null}}}`, want: `{"state":{"desired":{"a":null}},"metadata":{"desired":{}},"version":2,@00}`},
			{op: "get", want: `{"state":{},"metadata":{},"version":2,@00}`},
		}},
		{"type changes replace", []step{
			{request: `{"state":{"reported":{"a":{"b":1}}}}`, want: `{"state":{"reported":{"a":{"b":1}}},"metadata":{"reported":{"a":{"b":{@00}}}},"version":1,@00}`},
			{request: `{"state":{"reported":{"a":[{"b":1}]}}}`, want: `{"state":{"reported":{"a":[{"b":1}]}},"metadata":{"reported":{"a":[{"b":{@00}}]}},"version":2,@00}`},
			{request: `{"state":{"reported":{"a":"x"}}}`, want: `{"state":{"reported":{"a":"x"}},"metadata":{"reported":{"a":{@00}}},"version":3,@00}`},
		}},
		{"numbers are exact, and equal by value", []step{
			{request: `{"state":{"reported":{"n":12345678901234567890123,"f":20.0,"e":1e2,"z":-0.0}}}`, want: `{"state":{"reported":{"n":12345678901234567890123,"f":20.0,"e":1e2,"z":-0.0}},"metadata":{"reported":{"n":{@00},"f":{@00},"e":{@00},"z":{@00}}},"version":1,@00}`},
			{request: `{"state":{"desired":{"n":12345678901234567890123.0,"f":20,"e":100,"z":0}}}`, want: `{"state":{"desired":{"n":12345678901234567890123.0,"f":20,"e":100,"z":0}},"metadata":{"desired":{"n":{@00},"f":{@00},"e":{@00},"z":{@00}}},"version":2,@00}`},
			{request: `{"state":{"desired":{"n":12345678901234567890124}}}`, want: `{"state":{"desired":{"n":12345678901234567890124}},"metadata":{"desired":{"n":{@00}}},"version":3,@00}`, delta: `{"version":3,@00,"state":{"n":12345678901234567890124},"metadata":{"n":{@00}}}`},
		}},
		{"versions", []step{
			{request: `{"state":{"reported":{"a":1}},"version":5}`, want: `409 Version conflict`},
			{request: `{"state":{"reported":{"a":1}},"version":0}`, want: `{"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{@00}}},"version":1,@00}`},
			{request: `{"state":{"reported":{"a":1}},"version":0}`, want: `409 Version conflict`},
			{request: `{"state":{"reported":{}},"version":1}`, want: `{"state":{"reported":{}},"metadata":{"reported":{}},"version":2,@00}`},
			{request: `{"state":{"reported":{}},"version":-1}`, want: `400 Invalid version`},
			{request: `{"state":{"reported":{}},"version":"2"}`, want: `400 Invalid version`},
			{request: `{"state":{"reported":{}},"version":2.0}`, want: `400 Invalid version`},
			{request: `{"state":{"reported":{}},"version":null}`, want: `{"state":{"reported":{}},"metadata":{"reported":{}},"version":3,@00}`},
		}},
		{"delete and 48 hours", []step{
			{op: "get", want: `404 No shadow exists with name: 'T'`},
			{op: "delete", want: `404 No shadow exists with name: 'T'`},
			{request: `{"state":{"reported":{"a":1}}}`, want: `{"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{@00}}},"version":1,@00}`},
			{op: "delete", request: `{"clientToken":"d"}`, want: `{"version":1,@00,"clientToken":"d"}`},
			{op: "get", want: `404 No shadow exists with name: 'T'`},
			{op: "wait", request: "48h"},
			{request: `{"state":{"reported":{"b":1}},"version":1}`, want: `{"state":{"reported":{"b":1}},"metadata":{"reported":{"b":{"timestamp":1500172800}}},"version":2,"timestamp":1500172800}`,
				docs: `{"previous":{"state":{},"metadata":{},"version":0},"current":{"state":{"reported":{"b":1}},"metadata":{"reported":{"b":{"timestamp":1500172800}}},"version":2},"timestamp":1500172800}`},
			{op: "delete", want: `{"version":2,"timestamp":1500172800}`},
			{op: "wait", request: "48h1s"},
			{request: `{"state":{"reported":{"c":1}}}`, want: `{"state":{"reported":{"c":1}},"metadata":{"reported":{"c":{"timestamp":1500345601}}},"version":1,"timestamp":1500345601}`},
		}},
		{"names and strings", []step{
			{request: `{"state":{"reported":{"\u0061":"\u00e9\n\"\\","a\/b":"ü"}}}`, want: `{"state":{"reported":{"a":"é\n\"\\","a/b":"ü"}},"metadata":{"reported":{"a":{@00},"a/b":{@00}}},"version":1,@00}`},
			{request: `{"state":{"reported":{"a":null,"a/b":null,"a":2}}}`, want: `{"state":{"reported":{"a":2,"a/b":null}},"metadata":{"reported":{"a":{@00}}},"version":2,@00}`},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) { run(t, l, tt.steps) })
	}
}

func TestRefusals(t *testing.T) {
	deep := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	for _, tt := range []struct{ request, want string }{
		{``, "400 Invalid JSON"},
		{`{`, "400 Invalid JSON"},
		{`[]`, "400 Invalid JSON"},
		{`"x"`, "400 Invalid JSON"},
		{`{"state":{"reported":{"a":01}}}`, "400 Invalid JSON"},
		{`{"state":{"reported":{"a":1.}}}`, "400 Invalid JSON"},
		{`{"state":{"reported":{"a":NaN}}}`, "400 Invalid JSON"},
		{`{"state":{"reported":{'a':1}}}`, "400 Invalid JSON"},
		{`{"state":{"reported":{"a":1,}}}`, "400 Invalid JSON"},
		{"{\"state\":{\"reported\":{\"a\":\"\x01\"}}}", "400 Invalid JSON"},
		{`{"state":{"reported":{}}} x`, "400 Invalid JSON"},
		{`{"state":{"reported":{"a":"\q"}}}`, "400 Invalid JSON"},
		{"{\"state\":{\"reported\":{\"a\":\"\xff\"}}}", "415 Unsupported documented encoding; supported encoding is UTF-8"},
		{`{}`, "400 Missing required node: state"},
		{`{"reported":{}}`, "400 Missing required node: state"},
		{`{"state":1}`, "400 State node must be an object"},
		{`{"state":[]}`, "400 State node must be an object"},
		{`{"state":{"desired":1}}`, "400 Desired node must be an object"},
		{`{"state":{"reported":"x"}}`, "400 Reported node must be an object"},
		{`{"state":{"delta":{}}}`, "400 State contains an invalid node: 'delta'"},
		{`{"state":{"reported":{"a":[1,null]}}}`, "400 State contains an invalid node: 'a'"},
		{`{"state":{"reported":{"a":[{"b":[null]}]}}}`, "400 State contains an invalid node: 'b'"},
		{`{"state":{},"clientToken":7}`, "400 Invalid clientToken"},
		{`{"state":{},"clientToken":"` + strings.Repeat("x", 65) + `"}`, "400 Invalid clientToken"},
		{`{"state":{},"version":"x"}`, "400 Invalid version"},
		{`{"state":{"reported":` + deep(7) + `}}`, "400 JSON contains too many levels of nesting; maximum is 6"},
		{`{"state":{"reported":` + deep(2000) + `}}`, "400 JSON contains too many levels of nesting; maximum is 6"},
		{`{"state":{"reported":{"a":"` + strings.Repeat("x", 8192) + `"}}}`, "413 The payload exceeds the maximum size allowed"},
		{strings.Repeat(" ", 40000), "413 The payload exceeds the maximum size allowed"},
	} {
		_, _, e := DefaultLimits().Update(nil, []byte(tt.request), start)
		if e == nil || e.Error() != tt.want {
			t.Errorf("%.80q: %v, want %s", tt.request, e, tt.want)
		}
	}
	// Just inside the limits.
	for _, request := range []string{
		`{"state":{"reported":` + deep(6) + `}}`,
		`{"state":{"reported":{"a":"` + strings.Repeat("x", 8192-len(`{"reported":{"a":""}}`)) + `"}}}`,
		`{"state":{},"clientToken":"` + strings.Repeat("x", 64) + `"}`,
	} {
		if _, _, e := DefaultLimits().Update(nil, []byte(request), start); e != nil {
			t.Errorf("%.80q: %v", request, e)
		}
	}
	// The sum of small requests may not exceed the size either, nor does a refusal change anything.
	var doc *Document
	for i := range 20 {
		next, _, e := DefaultLimits().Update(doc, []byte(`{"state":{"reported":{"k`+strconv.Itoa(i)+`":"`+strings.Repeat("x", 1000)+`"}}}`), start)
		if e == nil {
			doc = next
			continue
		}
		if e.Code != 413 || doc.Version() != 8 {
			t.Fatalf("request %d: %v at version %d", i, e, doc.Version())
		}
		return
	}
	t.Fatal("20 KB went in")
}

func TestRejected(t *testing.T) {
	_, _, e := DefaultLimits().Update(nil, []byte(`{"state":{"x":{}},"clientToken":"a\"b"}`), start)
	if got := string(e.Rejected(7)); got != `{"code":400,"message":"State contains an invalid node: 'x'","timestamp":7,"clientToken":"a\"b"}` {
		t.Fatal(got)
	}
}

func TestTopics(t *testing.T) {
	for _, tt := range []struct {
		topic string
		key   Key
		end   string
		ok    bool
	}{
		{"$aws/things/T/shadow/update", Key{"T", ""}, "update", true},
		{"$aws/things/T/shadow/update/accepted", Key{"T", ""}, "update/accepted", true},
		{"$aws/things/T/shadow/name/S/get", Key{"T", "S"}, "get", true},
		{"$aws/things/a:b_c-1/shadow/get", Key{"a:b_c-1", ""}, "get", true},
		{"$aws/things//shadow/get", Key{}, "", false},
		{"$aws/things/a/b/shadow/get", Key{}, "", false},
		{"$aws/things/T/shadow/name//get", Key{}, "", false},
		{"$aws/things/T/shadow/name/S", Key{}, "", false},
		{"$aws/things/a b/shadow/get", Key{}, "", false},
		{"$aws/things/" + strings.Repeat("t", 129) + "/shadow/get", Key{}, "", false},
		{"$aws/things/T/shadow/name/" + strings.Repeat("s", 65) + "/get", Key{}, "", false},
		{"things/T/shadow/get", Key{}, "", false},
	} {
		key, end, ok := ParseTopic(tt.topic)
		if ok != tt.ok || ok && (key != tt.key || end != tt.end) {
			t.Errorf("%s: %v %q %v", tt.topic, key, end, ok)
		}
		if ok && key.Topic(end) != tt.topic {
			t.Errorf("%s: back is %s", tt.topic, key.Topic(end))
		}
	}
}

// TestAgainstPlainMaps applies random updates to the engine and to a model of maps.
func TestAgainstPlainMaps(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var random func(depth int, null bool) any
	random = func(depth int, null bool) any {
		switch n := r.IntN(8); {
		case n < 3 && depth > 0:
			m := map[string]any{}
			for range r.IntN(3) {
				m[string("abc"[r.IntN(3)])] = random(depth-1, null)
			}
			return m
		case n == 3:
			return []any{float64(r.IntN(2)), "x"}
		case n == 4 && null:
			return nil
		default:
			return float64(r.IntN(3))
		}
	}
	var doc *Document
	model := map[string]any{}
	for range 3000 {
		state := map[string]any{}
		for _, s := range []string{"desired", "reported"} {
			if r.IntN(2) == 0 {
				m, ok := random(3, true).(map[string]any)
				if ok {
					state[s] = m
				}
			}
		}
		request, err := json.Marshal(map[string]any{"state": state})
		if err != nil {
			t.Fatal(err)
		}
		next, _, e := DefaultLimits().Update(doc, request, start)
		if e != nil {
			t.Fatal(e)
		}
		doc = next
		model, _ = plainMerge(model, state).(map[string]any)
		for _, s := range []string{"desired", "reported"} {
			if m, ok := model[s].(map[string]any); ok && len(m) == 0 {
				delete(model, s)
			}
		}
		answer, e := DefaultLimits().Get(doc, "T", nil, start)
		if e != nil {
			t.Fatal(e)
		}
		var got struct{ State, Metadata map[string]any }
		if err := json.Unmarshal(answer, &got); err != nil {
			t.Fatal(err)
		}
		want := map[string]any{}
		for k, v := range model {
			want[k] = v
		}
		if d := plainDelta(model["desired"], model["reported"]); d != nil {
			want["delta"] = d
		}
		if !reflect.DeepEqual(got.State, want) {
			t.Fatalf("after %s\n got %v\nwant %v", request, got.State, want)
		}
	}
}

func plainMerge(old, req any) any {
	m, ok := req.(map[string]any)
	if !ok {
		return req
	}
	out := map[string]any{}
	if o, ok := old.(map[string]any); ok {
		for k, v := range o {
			out[k] = v
		}
	}
	for k, v := range m {
		if v == nil {
			delete(out, k)
		} else {
			out[k] = plainMerge(out[k], v)
		}
	}
	return out
}

func plainDelta(desired, reported any) any {
	if desired == nil {
		return nil
	}
	d, ok1 := desired.(map[string]any)
	p, ok2 := reported.(map[string]any)
	if !ok1 || !ok2 {
		if reflect.DeepEqual(desired, reported) {
			return nil
		}
		return desired
	}
	out := map[string]any{}
	for k, v := range d {
		if _, ok := p[k]; !ok {
			out[k] = v
		} else if e := plainDelta(v, p[k]); e != nil {
			out[k] = e
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
