package policy

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
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
		if !naiveAction(s, action) || !naiveCondition(s, action, vars) {
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
		if json.Unmarshal(raw, &one) != nil {
			one = string(raw) // a boolean
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

// naiveCondition decides a Condition block: every operator and key in it must hold. A key with
// several values has them in vars, one a line.
func naiveCondition(s map[string]json.RawMessage, action string, vars map[string]string) bool {
	if s["Condition"] == nil {
		return true
	}
	var c map[string]map[string]json.RawMessage
	if err := json.Unmarshal(s["Condition"], &c); err != nil {
		panic(err)
	}
	for op, block := range c {
		for key, raw := range block {
			var have []string
			if text, ok := vars[key]; ok && (key != "iot:ConnectAttributes" || action == "iot:Connect") {
				have = strings.Split(text, "\n")
			}
			if !naiveHolds(op, have, list(raw), vars) {
				return false
			}
		}
	}
	return true
}

func naiveHolds(op string, have, wants []string, vars map[string]string) bool {
	if op == "Null" {
		return (wants[0] == "true") == (have == nil)
	}
	every, some := strings.HasPrefix(op, "ForAllValues:"), strings.HasPrefix(op, "ForAnyValue:")
	op = op[strings.Index(op, ":")+1:]
	optional := strings.HasSuffix(op, "IfExists")
	op = strings.TrimSuffix(op, "IfExists")
	not := strings.Contains(op, "Not")
	if have == nil {
		return !some && (every || optional || not)
	}
	var known []string
	for _, w := range wants {
		if name, ok := strings.CutPrefix(w, "${"); ok {
			value, ok := vars[strings.TrimSuffix(name, "}")]
			if !ok {
				if not { // what it is to differ from is not known
					return false
				}
				continue
			}
			w = regexp.QuoteMeta(value)
		} else if strings.Contains(op, "Like") {
			w = strings.ReplaceAll(strings.ReplaceAll(regexp.QuoteMeta(w), `\*`, `.*`), `\?`, `.`)
		} else if !strings.Contains(op, "Ip") {
			w = regexp.QuoteMeta(w)
		}
		known = append(known, w)
	}
	good := 0
	for _, h := range have {
		hit := false
		for _, w := range known {
			hit = hit || naiveCompare(op, h, w)
		}
		if hit != not {
			good++
		}
	}
	if some {
		return good > 0
	}
	return good == len(have)
}

// naiveCompare compares with a regular expression, or a network.
func naiveCompare(op, have, want string) bool {
	switch {
	case strings.Contains(op, "Ip"):
		if !strings.Contains(want, "/") {
			return net.ParseIP(have).Equal(net.ParseIP(want))
		}
		_, network, err := net.ParseCIDR(want)
		return err == nil && network.Contains(net.ParseIP(have))
	case strings.Contains(op, "IgnoreCase"), op == "Bool":
		return regexp.MustCompile("(?is)^(?:" + want + ")$").MatchString(have)
	default:
		return regexp.MustCompile("(?s)^(?:" + want + ")$").MatchString(have)
	}
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
	const rounds = 300 // 4000 were run once, without a difference
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
	word := func() string {
		return pick("a", "b", "a*", "?", "A", "x", "*", "${iot:ClientId}", "${iot:Connection.Thing.ThingTypeName}")
	}
	// condition draws one operator with one key, or two.
	condition := func() string {
		one := func(op string) string {
			switch {
			case op == "Bool":
				return `"Bool":{"iot:Connection.Thing.IsAttached":` + pick("true", `"false"`, `["True"]`) + `}`
			case op == "Null":
				return `"Null":{"` + pick("iot:ClientId", "iot:Connection.Thing.ThingTypeName", "iot:ConnectAttributes") + `":` + pick(`"true"`, `"false"`) + `}`
			case strings.Contains(op, "Ip"):
				return `"` + op + `":{"aws:SourceIp":` + some(func() string { return pick("10.0.0.0/8", "10.1.2.3", "192.168.0.0/16", "0.0.0.0/0") }) + `}`
			case strings.HasPrefix(op, "For"):
				return `"` + op + `":{"` + pick("iot:ConnectAttributes", "iot:Certificate.Subject.Organization", "iot:ClientId") + `":` +
					some(func() string { return pick("LastWill", "PersistentConnect", "o1", "o2", "a") }) + `}`
			}
			return `"` + op + `":{"` + pick("iot:ClientId", "iot:Connection.Thing.ThingTypeName", "iot:DomainName") + `":` + some(word) + `}`
		}
		ops := []string{
			"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike", "ArnLike",
			"StringEqualsIfExists", "StringNotLikeIfExists", "Bool", "Null", "IpAddress", "NotIpAddress",
			"ForAnyValue:StringEquals", "ForAllValues:StringEquals", "ForAnyValue:StringNotEquals", "ForAllValues:StringNotEquals",
		}
		i := r.IntN(len(ops))
		if r.IntN(3) > 0 {
			return one(ops[i])
		}
		return one(ops[i]) + "," + one(ops[(i+1+r.IntN(len(ops)-1))%len(ops)])
	}
	asked := 0
	for range rounds {
		var statements []string
		for range 1 + r.IntN(4) {
			s := `{"Effect":"` + pick("Allow", "Allow", "Deny") + `","` + pick("Action", "Action", "Action", "NotAction") + `":` + some(action) +
				`,"` + pick("Resource", "Resource", "Resource", "NotResource") + `":` + some(resource)
			if r.IntN(2) == 0 {
				s += `,"Condition":{` + condition() + `}`
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
		vars["iot:Connection.Thing.IsAttached"] = fmt.Sprint(v.Attached)
		if r.IntN(3) > 0 {
			v.SourceIP = netip.MustParseAddr(pick("10.1.2.3", "192.168.7.7"))
			vars["aws:SourceIp"] = v.SourceIP.String()
		}
		if r.IntN(2) == 0 {
			v.ConnectAttributes = [][]string{{"LastWill"}, {"PersistentConnect"}, {"PersistentConnect", "LastWill"}}[r.IntN(3)]
			vars["iot:ConnectAttributes"] = strings.Join(v.ConnectAttributes, "\n")
		}
		if r.IntN(2) == 0 {
			v.Certificate = map[string][]string{"Subject.Organization": []string{"o1", "o2"}[:1+r.IntN(2)]}
			vars["iot:Certificate.Subject.Organization"] = strings.Join(v.Certificate["Subject.Organization"], "\n")
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
