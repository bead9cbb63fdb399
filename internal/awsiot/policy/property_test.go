package policy

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// This file has an evaluator of its own, written from the rules and not from the package:
// regular expressions over the whole ARN, decisions statement by statement. Random policies and
// questions must be answered alike by both.

const (
	naiveRegion  = "us-east-1"
	naiveAccount = "123456789012"
)

// naive decides from the document's JSON.
func naive(text string, action, kind, name string, vars map[string]string) bool {
	var doc struct {
		Statement []map[string]json.RawMessage
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		panic(err)
	}
	arn := fmt.Sprintf("arn:aws:iot:%s:%s:%s%s", naiveRegion, naiveAccount, kind, name)
	allowed := false
	for _, s := range doc.Statement {
		if !naiveAction(s, action) || !naiveCondition(s, vars) {
			continue
		}
		allow := string(s["Effect"]) == `"Allow"`
		fits, known := naiveResource(s, arn, vars, allow)
		if !known || !fits {
			continue
		}
		if !allow {
			return false
		}
		allowed = true
	}
	return allowed
}

func list(raw json.RawMessage) []string {
	var out []string
	if json.Unmarshal(raw, &out) != nil {
		var one string
		if err := json.Unmarshal(raw, &one); err != nil {
			panic(err)
		}
		out = []string{one}
	}
	return out
}

func naiveAction(s map[string]json.RawMessage, action string) bool {
	raw, not := s["Action"], false
	if raw == nil {
		raw, not = s["NotAction"], true
	}
	for _, p := range list(raw) {
		if glob("(?is)", p).MatchString(action) {
			return !not
		}
	}
	return not
}

func naiveResource(s map[string]json.RawMessage, arn string, vars map[string]string, allow bool) (fits, known bool) {
	raw, not := s["Resource"], false
	if raw == nil {
		raw, not = s["NotResource"], true
	}
	for _, p := range list(raw) {
		re, ok := globWithVars(p, vars)
		if !ok {
			if not && allow {
				return false, false
			}
			continue
		}
		if re.MatchString(arn) {
			return !not, true
		}
	}
	return not, true
}

func naiveCondition(s map[string]json.RawMessage, vars map[string]string) bool {
	if s["Condition"] == nil {
		return true
	}
	var c map[string]map[string]string
	if err := json.Unmarshal(s["Condition"], &c); err != nil {
		panic(err)
	}
	for op, block := range c {
		for key, want := range block {
			got, has := vars[key]
			if name, ok := strings.CutPrefix(want, "${"); ok {
				if want, ok = vars[strings.TrimSuffix(name, "}")]; !ok {
					if has || op == "StringEquals" {
						return false
					}
					continue // nothing is compared with a key that is not there
				}
			}
			switch op {
			case "StringEquals":
				if !has || got != want {
					return false
				}
			case "StringNotEquals":
				if has && got == want {
					return false
				}
			}
		}
	}
	return true
}

func glob(flags, p string) *regexp.Regexp {
	p = regexp.QuoteMeta(p)
	p = strings.ReplaceAll(strings.ReplaceAll(p, `\*`, `.*`), `\?`, `.`)
	return regexp.MustCompile(flags + "^" + p + "$")
}

func globWithVars(p string, vars map[string]string) (*regexp.Regexp, bool) {
	var b strings.Builder
	for p != "" {
		before, rest, found := strings.Cut(p, "${")
		q := regexp.QuoteMeta(before)
		b.WriteString(strings.ReplaceAll(strings.ReplaceAll(q, `\*`, `.*`), `\?`, `.`))
		if !found {
			break
		}
		name, after, _ := strings.Cut(rest, "}")
		value, ok := vars[name]
		if !ok {
			return nil, false
		}
		b.WriteString(regexp.QuoteMeta(value))
		p = after
	}
	return regexp.MustCompile("(?s)^" + b.String() + "$"), true
}

func TestAgainstNaiveEvaluator(t *testing.T) {
	const rounds = 500 // 4000 were run once, without a difference
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	some := func(f func() string) string {
		var out []string
		for range 1 + r.IntN(3) {
			out = append(out, f())
		}
		text, _ := json.Marshal(out)
		return string(text)
	}
	piece := func() string {
		return pick("a", "b", "a/b", "*", "?", "+", "#", "/", "x", "", "${iot:ClientId}", "${iot:Connection.Thing.ThingTypeName}", "*a", "b*", "é", ":")
	}
	action := func() string {
		return pick("iot:Publish", "iot:Subscribe", "iot:Connect", "iot:Receive", "iot:*", "*", "iot:P*", "iot:publish", "iot:?eceive", "iot:Other")
	}
	resource := func() string {
		if r.IntN(10) == 0 {
			return pick("*", "arn:*", "arn:aws:iot:*", "arn:aws:iot:us-*:*/a")
		}
		return "arn:aws:iot:" + pick("us-east-1", "*", "eu-west-1", "us-????-1") + ":" + pick("123456789012", "*", "12*") + ":" +
			pick("topic/", "topicfilter/", "client/", "*/", "topic*/") + piece() + piece() + piece()
	}
	asked := 0
	for range rounds {
		var statements []string
		for range 1 + r.IntN(4) {
			s := `{"Effect":"` + pick("Allow", "Allow", "Deny") + `","` + pick("Action", "Action", "Action", "NotAction") + `":` + some(action) +
				`,"` + pick("Resource", "Resource", "Resource", "NotResource") + `":` + some(resource)
			if r.IntN(4) == 0 {
				s += `,"Condition":{"` + pick("StringEquals", "StringNotEquals") + `":{"` + pick("iot:ClientId", "iot:Connection.Thing.ThingTypeName") +
					`":"` + pick("a", "b", "${iot:ClientId}", "${iot:Connection.Thing.ThingTypeName}") + `"}}`
			}
			statements = append(statements, s+"}")
		}
		text := `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
		doc, err := Parse("p", []byte(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		v := &Vars{ClientID: pick("a", "b", "*", "?", "a/b"), HasClientID: true, Region: naiveRegion, Account: naiveAccount}
		vars := map[string]string{"iot:ClientId": v.ClientID}
		if r.IntN(2) == 0 {
			v.Attached, v.ThingType = true, pick("x", "*")
			vars["iot:Connection.Thing.ThingTypeName"] = v.ThingType
		}
		p := Compile([]*Document{doc}, v)
		for range 12 {
			a := []Action{Connect, Publish, Subscribe, Receive}[r.IntN(4)]
			name := pick("a", "b", "x", "*", "?", "+", "") + pick("", "/", "a", "/b", "é") + pick("", "a", "*", "/#", ":")
			got := p.Check(a, name)
			want := naive(text, a.String(), actionInfo[a].kind, name, vars)
			if got.Allowed != want {
				t.Fatalf("%s on %q as %+v: got %s, the independent evaluator says %v\n%s", a, name, vars, got, want, text)
			}
			if e := p.Explain(a, name); e.Allowed != want {
				t.Fatalf("Explain disagrees: %s", e)
			}
			asked++
		}
	}
	t.Logf("%d policies, %d questions", rounds, asked)
}

// TestResiduals: matching the rest against a residual is matching the whole.
func TestResiduals(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	random := func(alphabet string, n int) string {
		b := make([]byte, r.IntN(n))
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		return string(b)
	}
	for range 20000 {
		pattern := random("ab\xff\xfe", 7)
		prefix, name := random("ab", 4), random("ab", 5)
		want := match(pattern, prefix+name)
		got := false
		for _, rest := range residuals(pattern, prefix) {
			got = got || newMatcher(rest).match(name)
		}
		if got != want {
			t.Fatalf("pattern %q prefix %q name %q: %v, want %v", pattern, prefix, name, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}`), "t")
	f.Add([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Deny","NotAction":["iot:Connect"],"NotResource":["arn:aws:iot:*:*:topic/${iot:ClientId}*"],"Condition":{"ForAnyValue:StringLikeIfExists":{"iot:ClientId":["a*",1,true]}}}}`), "a/b")
	f.Add([]byte(`{"Statement":{"Effect":"Allow","Action":"a:b","Resource":"arn:","Condition":{"NumericEquals":{"aws:EpochTime":1e999999999}}}}`), "")
	f.Fuzz(func(t *testing.T, text []byte, name string) {
		doc, err := Parse("p", text)
		if err != nil {
			return
		}
		p := Compile([]*Document{doc}, attached())
		for a := range numActions {
			d := p.Check(a, name)
			if d.Allowed && d.Statement == nil {
				t.Fatal("allowed by nothing")
			}
			if e := p.Explain(a, name); e.Allowed != d.Allowed {
				t.Fatal("Explain differs from Check")
			}
		}
	})
}
