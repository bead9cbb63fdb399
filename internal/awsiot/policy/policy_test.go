package policy

import (
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"
)

func mustParse(t testing.TB, name, text string) *Document {
	t.Helper()
	doc, err := Parse(name, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func fixture(t testing.TB, name string) *Document {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return mustParse(t, name, string(text))
}

// attached is a connection of thing "IMEI_1" of type "XBee".
func attached() *Vars {
	return &Vars{
		ClientID: "IMEI_1", HasClientID: true, Attached: true, ThingType: "XBee",
		Attributes: map[string]string{"site": "north"}, CertificateID: "abc",
		Certificate: map[string][]string{"Subject.CommonName": {"cn"}, "Subject.Organization": {"o1", "o2"}},
		SourceIP:    netip.MustParseAddr("10.1.2.3"), ConnectAttributes: []string{"LastWill"},
		Now: func() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) },
	}
}

type question struct {
	action Action
	name   string
	want   bool
}

func ask(t *testing.T, p *Compiled, questions []question) {
	t.Helper()
	for _, q := range questions {
		if d := p.Check(q.action, q.name); d.Allowed != q.want {
			t.Errorf("%s on %s: %s", q.action, q.action.Resource(q.name), d)
			t.Log(p.Explain(q.action, q.name))
		}
		if e := p.Explain(q.action, q.name); e.Allowed != q.want {
			t.Errorf("Explain differs: %s", e)
		}
	}
}

// TestDigisPolicies: the two policies of Digi's AWS samples, in spirit, do what their README
// says of them.
func TestDigisPolicies(t *testing.T) {
	open := Compile([]*Document{fixture(t, "open")}, attached())
	ask(t, open, []question{
		{Connect, "anything", true}, {Publish, "sample/xbee", true}, {Subscribe, "#", true}, {Receive, "x", true},
		{GetThingShadow, "IMEI_1", true}, {UpdateThingShadow, "IMEI_1", false}, {RetainPublish, "x", false},
	})
	restricted := fixture(t, "restricted")
	ask(t, Compile([]*Document{restricted}, attached()), []question{
		{Connect, "IMEI_1", true},
		{Publish, "XBee/IMEI_1", true}, {Publish, "XBee/IMEI_1/temp", true}, {Receive, "XBee/IMEI_1/a/b", true},
		{Publish, "XBee/IMEI_12", false}, {Publish, "XBee/IMEI_2/temp", false}, {Publish, "sample/xbee", false},
		{Subscribe, "XBee/IMEI_1/#", true}, {Subscribe, "XBee/#", false},
		{GetThingShadow, "IMEI_1", false},
	})
	stranger := &Vars{ClientID: "IMEI_2", HasClientID: true}
	ask(t, Compile([]*Document{restricted}, stranger), []question{
		{Connect, "IMEI_2", false}, {Publish, "XBee/IMEI_2", false}, {Publish, "/", false}, {Subscribe, "/", false},
	})
	// With the account and region set, ARNs must name them.
	other := attached()
	other.Region, other.Account = "eu-west-1", "123456789012"
	ask(t, Compile([]*Document{restricted}, other), []question{{Connect, "IMEI_1", true}, {Publish, "XBee/IMEI_1", false}})
	other.Region = "us-east-1"
	ask(t, Compile([]*Document{restricted}, other), []question{{Publish, "XBee/IMEI_1", true}})
}

func TestEvaluation(t *testing.T) {
	const arn = "arn:aws:iot:us-east-1:123456789012:"
	for _, tt := range []struct {
		name, statements string
		questions        []question
	}{
		{"default deny", `{"Effect":"Deny","Action":"iot:Publish","Resource":"*"}`, []question{{Connect, "c", false}, {Publish, "t", false}}},
		{
			"explicit deny wins", `{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"iot:Publish","Resource":"` + arn + `topic/no/*"}`,
			[]question{{Publish, "yes", true}, {Publish, "no/1", false}, {Receive, "no/1", true}, {Publish, "no", true}},
		},
		{
			"star crosses slashes, plus and hash are literal", `{"Effect":"Allow","Action":["iot:Publish","iot:Subscribe"],"Resource":["` + arn + `topic/a*z","` + arn + `topicfilter/a/+/#"]}`,
			[]question{{Publish, "a/b/c/z", true}, {Publish, "az", true}, {Publish, "a/b", false}, {Subscribe, "a/+/#", true}, {Subscribe, "a/b/#", false}, {Subscribe, "a/+/x", false}},
		},
		{
			"question mark is one character", `{"Effect":"Allow","Action":"iot:Publish","Resource":"` + arn + `topic/t?"}`,
			[]question{{Publish, "t1", true}, {Publish, "té", true}, {Publish, "t", false}, {Publish, "t12", false}},
		},
		{
			"not action", `{"Effect":"Allow","NotAction":["iot:Pub*","iot:connect"],"Resource":"*"}`,
			[]question{{Publish, "t", false}, {Connect, "c", false}, {Subscribe, "t", true}, {RetainPublish, "t", true}},
		},
		{
			"not resource", `{"Effect":"Allow","Action":"iot:Publish","NotResource":["` + arn + `topic/a","` + arn + `topic/b/*"]}`,
			[]question{{Publish, "a", false}, {Publish, "b/c", false}, {Publish, "b", true}, {Publish, "c", true}},
		},
		{
			"action case and wildcards", `{"Effect":"Allow","Action":["IOT:publish","iot:*ThingShadow"],"Resource":"*"}`,
			[]question{{Publish, "t", true}, {GetThingShadow, "x", true}, {DeleteThingShadow, "x", true}, {Subscribe, "t", false}},
		},
		{
			"resource kinds do not mix", `{"Effect":"Allow","Action":"iot:*","Resource":"` + arn + `topic/*"}`,
			[]question{{Publish, "t", true}, {Subscribe, "t", false}, {Connect, "c", false}},
		},
		{
			"wildcards in the ARN", `{"Effect":"Allow","Action":"iot:*","Resource":["arn:aws:iot:*:*:topic/a","arn:aws:iot:*:topic/b","arn:*:client/c","arn:aws:iot:us-*:123456789012:thing/t"]}`,
			[]question{{Publish, "a", true}, {Publish, "b", true}, {Connect, "c", true}, {GetThingShadow, "t", true}, {Publish, "c", false}},
		},
		{
			"variables", `{"Effect":"Allow","Action":"iot:Publish","Resource":["` + arn + `topic/${iot:ClientId}/x","` + arn + `topic/${iot:Connection.Thing.Attributes[site]}","` + arn + `topic/cert/${iot:CertificateId}","` + arn + `topic/${iot:Certificate.Subject.CommonName}/${aws:SourceIp}"]}`,
			[]question{{Publish, "IMEI_1/x", true}, {Publish, "north", true}, {Publish, "cert/abc", true}, {Publish, "cn/10.1.2.3", true}, {Publish, "/x", false}},
		},
		{
			"variable escapes", `{"Effect":"Allow","Action":"iot:Publish","Resource":"` + arn + `topic/a${*}b${?}c${$}"}`,
			[]question{{Publish, "a*b?c$", true}, {Publish, "axbxc$", false}},
		},
		{
			"unknown attribute", `{"Effect":"Allow","Action":"iot:Publish","Resource":"` + arn + `topic/${iot:Connection.Thing.Attributes[none]}"}`,
			[]question{{Publish, "", false}, {Publish, "none", false}},
		},
		{
			"not resource with an unknown value allows nothing", `{"Effect":"Allow","Action":"iot:Publish","NotResource":"` + arn + `topic/${iot:Connection.Thing.Attributes[none]}"}`,
			[]question{{Publish, "x", false}},
		},
		{
			"list retained", `{"Effect":"Allow","Action":"iot:ListRetainedMessages","Resource":"*"}`,
			[]question{{ListRetainedMessages, "", true}},
		},
		{
			"list retained needs *", `{"Effect":"Allow","Action":"iot:ListRetainedMessages","Resource":"` + arn + `topic/*"}`,
			[]question{{ListRetainedMessages, "", false}},
		},
		{
			"named shadow", `{"Effect":"Allow","Action":"iot:GetThingShadow","Resource":"` + arn + `thing/t/config"}`,
			[]question{{GetThingShadow, "t/config", true}, {GetThingShadow, "t", false}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := mustParse(t, tt.name, `{"Version":"2012-10-17","Statement":[`+tt.statements+`]}`)
			ask(t, Compile([]*Document{doc}, attached()), tt.questions)
		})
	}
}

// TestInjection: what a client calls itself never becomes a wildcard.
func TestInjection(t *testing.T) {
	doc := mustParse(t, "p", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iot:*","Resource":"arn:aws:iot:*:*:*/${iot:ClientId}"}}`)
	for _, id := range []string{"*", "?", "a*", "${*}", "\xff"} {
		p := Compile([]*Document{doc}, &Vars{ClientID: id, HasClientID: true})
		if p.Check(Publish, "xyz").Allowed {
			t.Errorf("client id %q may publish to xyz", id)
		}
	}
}

func TestConditions(t *testing.T) {
	for _, tt := range []struct {
		condition string
		want      bool
	}{
		{`{"StringEquals":{"iot:ClientId":"IMEI_1"}}`, true},
		{`{"StringEquals":{"iot:ClientId":["x","IMEI_1"]}}`, true},
		{`{"StringEquals":{"iot:ClientId":"imei_1"}}`, false},
		{`{"StringEquals":{"iot:ClientId":"IMEI*"}}`, false},
		{`{"StringEqualsIgnoreCase":{"iot:ClientId":"imei_1"}}`, true},
		{`{"StringNotEquals":{"iot:ClientId":["a","IMEI_1"]}}`, false},
		{`{"StringNotEquals":{"iot:ClientId":["a","b"]}}`, true},
		{`{"StringLike":{"iot:ClientId":"IMEI*"}}`, true},
		{`{"StringNotLike":{"iot:ClientId":"IMEI*"}}`, false},
		{`{"StringEquals":{"iot:DomainName":"x"}}`, false},
		{`{"StringNotEquals":{"iot:DomainName":"x"}}`, true},
		{`{"StringEqualsIfExists":{"iot:DomainName":"x"}}`, true},
		{`{"Null":{"iot:DomainName":"true","iot:ClientId":false}}`, true},
		{`{"Null":{"iot:ClientId":true}}`, false},
		{`{"Bool":{"iot:Connection.Thing.IsAttached":true,"aws:SecureTransport":"True"}}`, true},
		{`{"Bool":{"iot:Connection.Thing.IsAttached":"false"}}`, false},
		{`{"IpAddress":{"aws:SourceIp":["192.168.0.0/16","10.0.0.0/8"]}}`, true},
		{`{"NotIpAddress":{"aws:SourceIp":"10.1.2.3"}}`, false},
		{`{"IpAddress":{"aws:SourceIp":"10.1.2.4"}}`, false},
		{`{"DateGreaterThan":{"aws:CurrentTime":"2026-01-01T00:00:00Z"},"DateLessThan":{"aws:CurrentTime":"2026-12-31"}}`, true},
		{`{"DateLessThanEquals":{"aws:CurrentTime":"2026-06-01T11:59:59Z"}}`, false},
		{`{"NumericGreaterThan":{"aws:EpochTime":1700000000}}`, true},
		{`{"NumericLessThan":{"aws:EpochTime":1700000000}}`, false},
		{`{"NumericEquals":{"aws:EpochTime":"1780315200.0"}}`, true},
		{`{"ForAllValues:StringEquals":{"iot:Certificate.Subject.Organization.List":["o1","o2","o3"]}}`, true},
		{`{"ForAllValues:StringEquals":{"iot:Certificate.Subject.Organization.List":["o1"]}}`, false},
		{`{"ForAnyValue:StringEquals":{"iot:Certificate.Subject.Organization.List":["o2"]}}`, true},
		{`{"ForAnyValue:StringEquals":{"iot:Certificate.Issuer.Organization":["o2"]}}`, false},
		{`{"ForAllValues:StringEquals":{"iot:Certificate.Issuer.Organization":["o2"]}}`, true},
		{`{"ForAllValues:StringNotEquals":{"iot:ConnectAttributes":["PersistentConnect"]}}`, true},
		{`{"ForAnyValue:StringEquals":{"iot:ConnectAttributes":["LastWill"]}}`, true},
		{`{"StringEquals":{"iot:ClientId":"${iot:Connection.Thing.ThingName}"}}`, true},
		{`{"StringNotEquals":{"iot:ClientId":"${iot:DomainName}"}}`, false},
		{`{"ArnLike":{"iot:ClientId":"I*_?"}}`, true},
	} {
		doc := mustParse(t, "p", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":`+tt.condition+`}}`)
		p := Compile([]*Document{doc}, attached())
		ask(t, p, []question{{Connect, "IMEI_1", tt.want}})
		if t.Failed() {
			t.Fatalf("condition %s", tt.condition)
		}
	}
}

// TestTimedCondition: a condition on the time is asked again at each check.
func TestTimedCondition(t *testing.T) {
	doc := mustParse(t, "p", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:CurrentTime":"2026-06-02T00:00:00Z"}}}}`)
	v := attached()
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	v.Now = func() time.Time { return now }
	p := Compile([]*Document{doc}, v)
	if !p.Check(Publish, "t").Allowed {
		t.Fatal("refused before its time")
	}
	now = now.Add(48 * time.Hour)
	if p.Check(Publish, "t").Allowed {
		t.Fatal("allowed after its time")
	}
}

// TestOldVersion: without the 2012 version, variables are plain text.
func TestOldVersion(t *testing.T) {
	doc := mustParse(t, "p", `{"Statement":{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:r:1:topic/${iot:ClientId}"}}`)
	p := Compile([]*Document{doc}, attached())
	ask(t, p, []question{{Publish, "IMEI_1", false}, {Publish, "${iot:ClientId}", true}})
}

func TestParseErrors(t *testing.T) {
	st := func(s string) string { return `{"Version":"2012-10-17","Statement":[` + s + `]}` }
	for _, tt := range []struct{ text, want string }{
		{`{`, "not JSON"},
		{"\xff", "not UTF-8"},
		{`[]`, "must be a JSON object"},
		{`{"Version":"2011-01-01","Statement":[]}`, "Version"},
		{`{"Version":"2012-10-17"}`, "Statement is missing"},
		{`{"Version":"2012-10-17","Statement":[]}`, "empty"},
		{`{"version":"2012-10-17","Statement":[]}`, `"version" is not known`},
		{st(`{"Effect":"allow","Action":"*","Resource":"*"}`), `Effect must be`},
		{st(`{"Effect":"Allow","Resource":"*"}`), "exactly one of Action and NotAction"},
		{st(`{"Effect":"Allow","Action":"*","NotAction":"*","Resource":"*"}`), "exactly one of Action and NotAction"},
		{st(`{"Effect":"Allow","Action":[],"Resource":"*"}`), "Action must be"},
		{st(`{"Effect":"Allow","Action":"Publish","Resource":"*"}`), `write "iot:Publish"`},
		{st(`{"Effect":"Allow","Action":"*","Resource":"topic/a"}`), "nor an ARN"},
		{st(`{"Effect":"Allow","Action":"*","Resource":"arn:${iot:ClientId"}`), "has no }"},
		{st(`{"Effect":"Allow","Action":"*","Resource":"arn:${iot:Nope}"}`), "not one AWS IoT knows"},
		{st(`{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}`), `"Principal" is not known`},
		{st(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringIs":{"a":"b"}}}`), "StringIs"},
		{st(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"a":"b"}}}`), "does not fit"},
		{st(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0"}}}`), "does not fit"},
		{st(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"a":{}}}}`), "a value must be"},
		{st(`{"Effect":"Allow","Action":"*","Resource":"arn:` + strings.Repeat("x", MaxDocumentSize) + `"}`), "split it"},
	} {
		_, err := Parse("p", []byte(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), `policy "p": `) {
			t.Errorf("%.80s: error %v, want %q", tt.text, err, tt.want)
		}
	}
}

func TestExplain(t *testing.T) {
	p := Compile([]*Document{fixture(t, "restricted")}, &Vars{ClientID: "IMEI_2", HasClientID: true})
	got := p.Explain(Connect, "IMEI_2").String()
	for _, want := range []string{
		"iot:Connect on client/IMEI_2: denied: no statement allows it",
		`policy "restricted", statement 1 (Sid "OwnNameOnly") does not apply: condition Bool iot:Connection.Thing.IsAttached ["true"] does not hold (iot:Connection.Thing.IsAttached has ["false"])`,
		`statement 2 does not apply: its actions iot:Publish, iot:Receive do not cover iot:Connect`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("explanation\n%s\nlacks %s", got, want)
		}
	}
	but, err := Parse("but", []byte(`{"Statement":{"Effect":"Allow","NotAction":["iot:Publish","iot:Connect"],"Resource":"*"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := Compile([]*Document{but}, &Vars{}).Explain(Publish, "a").String(); !strings.Contains(got, "does not apply: its NotAction iot:Publish, iot:Connect excepts iot:Publish") {
		t.Error(got)
	}
	if got := p.Explain(Publish, "a").String(); !strings.Contains(got, "policy variable ${iot:Connection.Thing.ThingTypeName} has no value") {
		t.Error(got)
	}
	if got := Compile(nil, &Vars{}).Explain(Publish, "a").String(); !strings.Contains(got, "no policy is attached") {
		t.Error(got)
	}
}

func TestCheckDoesNotAllocate(t *testing.T) {
	p := Compile([]*Document{fixture(t, "restricted")}, attached())
	if n := testing.AllocsPerRun(100, func() { p.Check(Receive, "XBee/IMEI_1/temperature") }); n != 0 {
		t.Fatalf("%v allocations a check", n)
	}
}

func BenchmarkCheck(b *testing.B) {
	p := Compile([]*Document{fixture(b, "restricted")}, attached())
	b.ReportAllocs()
	for b.Loop() {
		p.Check(Receive, "XBee/IMEI_1/temperature")
	}
}

func BenchmarkCompile(b *testing.B) {
	docs, v := []*Document{fixture(b, "restricted")}, attached()
	b.ReportAllocs()
	for b.Loop() {
		Compile(docs, v)
	}
}
