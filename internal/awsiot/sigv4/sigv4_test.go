package sigv4

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// The example key of AWS's documentation, and the day of its test suite.
var (
	key = Key{ID: "AKIDEXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
	day = time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
)

// TestSigningKey: the derived key that AWS's documentation prints for its example key.
func TestSigningKey(t *testing.T) {
	got := hex.EncodeToString(signingKey(key.Secret, "20150830", "us-east-1", "iam"))
	if want := "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"; got != want {
		t.Fatalf("signing key %s, want %s", got, want)
	}
}

// TestSuite verifies requests of AWS's published signature test suite, with the signatures it
// prints, and then each with one digit of the signature changed.
func TestSuite(t *testing.T) {
	auth := func(headers, sum string) string {
		return "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=" + headers + ", Signature=" + sum
	}
	for _, tt := range []struct{ name, request, headers, sum string }{
		{"get-vanilla", "GET / HTTP/1.1\nHost:example.amazonaws.com\nX-Amz-Date:20150830T123600Z", "host;x-amz-date",
			"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"get-vanilla-query-order-key-case", "GET /?Param2=value2&Param1=value1 HTTP/1.1\nHost:example.amazonaws.com\nX-Amz-Date:20150830T123600Z", "host;x-amz-date",
			"b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		{"get-slash", "GET // HTTP/1.1\nHost:example.amazonaws.com\nX-Amz-Date:20150830T123600Z", "host;x-amz-date",
			"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"get-relative-relative", "GET /example1/example2/../.. HTTP/1.1\nHost:example.amazonaws.com\nX-Amz-Date:20150830T123600Z", "host;x-amz-date",
			"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"post-vanilla", "POST / HTTP/1.1\nHost:example.amazonaws.com\nX-Amz-Date:20150830T123600Z", "host;x-amz-date",
			"5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.ReplaceAll(tt.request+"\n"+auth(tt.headers, tt.sum)+"\n\n", "\n", "\r\n")
			r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
			if err != nil {
				t.Fatal(err)
			}
			scope := Scope{Region: "us-east-1", Services: []string{"service"}, Now: day}
			s, err := Parse(r)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Verify(r, nil, key.Secret, scope); err != nil {
				t.Errorf("%v\ncanonical request:\n%s", err, s.canonical(r, "", false))
			}
			s.sum[31] ^= 1
			if s.Verify(r, nil, key.Secret, scope) == nil {
				t.Error("a changed signature is taken")
			}
		})
	}
}

func request(t *testing.T, method, target, body string, header ...string) *http.Request {
	t.Helper()
	r := httptest.NewRequest(method, "https://abc-ats.iot.us-east-1.amazonaws.com"+target, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

var dataScope = Scope{Region: "us-east-1", Services: []string{ServiceData}, Now: day}

// TestSign: what is signed verifies; what is changed afterwards does not.
func TestSign(t *testing.T) {
	signed := func(t *testing.T) *http.Request {
		r := request(t, "POST", "/topics/a%2Fb%20c?qos=1&contentType=x%2Fy", "hello", "Content-Type", "application/octet-stream", "X-Amz-Mqtt5-Payload-Format-Indicator", "UTF8_DATA")
		if err := Sign(r, []byte("hello"), key, "us-east-1", ServiceData, day); err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, tt := range []struct {
		name   string
		change func(r *http.Request, body *string, s *Scope, secret *string)
		want   string // "" means that it verifies
	}{
		{"as it is", func(*http.Request, *string, *Scope, *string) {}, ""},
		{"four minutes later", func(_ *http.Request, _ *string, s *Scope, _ *string) { s.Now = day.Add(4 * time.Minute) }, ""},
		{"any region", func(_ *http.Request, _ *string, s *Scope, _ *string) { s.Region = "" }, ""},
		{"body", func(_ *http.Request, b *string, _ *Scope, _ *string) { *b = "hellO" }, "does not match"},
		{"path", func(r *http.Request, _ *string, _ *Scope, _ *string) { r.URL.Path, r.URL.RawPath = "/topics/a/b c", "" }, "does not match"},
		{"query", func(r *http.Request, _ *string, _ *Scope, _ *string) { r.URL.RawQuery = "qos=0&contentType=x%2Fy" }, "does not match"},
		{"method", func(r *http.Request, _ *string, _ *Scope, _ *string) { r.Method = "PUT" }, "does not match"},
		{"host", func(r *http.Request, _ *string, _ *Scope, _ *string) { r.Host = "other" }, "does not match"},
		{"signed header", func(r *http.Request, _ *string, _ *Scope, _ *string) { r.Header.Set("Content-Type", "text/plain") }, "does not match"},
		{"added header", func(r *http.Request, _ *string, _ *Scope, _ *string) {
			r.Header.Set("X-Amz-Mqtt5-Correlation-Data", "QQ==")
		}, "x-amz-mqtt5-correlation-data is not signed"},
		{"secret", func(_ *http.Request, _ *string, _ *Scope, k *string) { *k = "other" }, "does not match"},
		{"region", func(_ *http.Request, _ *string, s *Scope, _ *string) { s.Region = "eu-west-1" }, `for region "us-east-1", this is "eu-west-1"`},
		{"service", func(_ *http.Request, _ *string, s *Scope, _ *string) { s.Services = []string{ServiceGateway} }, "this is iotdevicegateway"},
		{"old", func(_ *http.Request, _ *string, s *Scope, _ *string) { s.Now = day.Add(6 * time.Minute) }, "more than 5m0s ago"},
		{"early", func(_ *http.Request, _ *string, s *Scope, _ *string) { s.Now = day.Add(-6 * time.Minute) }, "not yet"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := signed(t)
			body, scope, secret := "hello", dataScope, key.Secret
			tt.change(r, &body, &scope, &secret)
			s, err := Parse(r)
			if err != nil {
				t.Fatal(err)
			}
			if s.KeyID != key.ID {
				t.Errorf("key %q", s.KeyID)
			}
			check(t, s.Verify(r, []byte(body), secret, scope), tt.want)
		})
	}
}

func check(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("refused: %v", err)
	case want != "" && err == nil:
		t.Errorf("accepted, want %q", want)
	case want != "" && !strings.Contains(err.Error(), want):
		t.Errorf("%q, want %q", err, want)
	}
}

// TestPresign: a signed URL, with a session token signed or added after signing.
func TestPresign(t *testing.T) {
	scope := Scope{Region: "us-east-1", Services: []string{ServiceGateway}, Now: day.Add(time.Hour)}
	host := "abc-ats.iot.us-east-1.amazonaws.com"
	withToken := key
	withToken.Token = "session+token/=="
	plain := Presign(host, "/mqtt", key, "us-east-1", ServiceGateway, day, 24*time.Hour)
	for _, tt := range []struct{ name, query, want string }{
		{"plain", plain, ""},
		{"token signed", Presign(host, "/mqtt", withToken, "us-east-1", ServiceGateway, day, 24*time.Hour), ""},
		{"token added", plain + "&X-Amz-Security-Token=session%2Btoken%2F%3D%3D", ""},
		{"something added", plain + "&x=y", "does not match"},
		{"expired", Presign(host, "/mqtt", key, "us-east-1", ServiceGateway, day, time.Minute), "was good for 1m0s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := request(t, "GET", "/mqtt?"+tt.query, "")
			s, err := Parse(r)
			if err != nil {
				t.Fatal(err)
			}
			check(t, s.Verify(r, nil, key.Secret, scope), tt.want)
		})
	}
}

func TestParseRefusals(t *testing.T) {
	good := "AWS4-HMAC-SHA256 Credential=A/20150830/us-east-1/iotdata/aws4_request, SignedHeaders=host, Signature=" + strings.Repeat("0", 64)
	for _, tt := range []struct{ target, header, want string }{
		{"/", "Bearer x", "begins with"},
		{"/", "AWS4-HMAC-SHA256 nonsense", "not NAME=VALUE"},
		{"/", strings.Replace(good, "/iotdata", "", 1), "not KEY/DATE"},
		{"/", strings.Replace(good, "=host", "=x-amz-date", 1), "host must be"},
		{"/", strings.Replace(good, "=host", "=host;Range", 1), "lower case"},
		{"/", strings.Replace(good, "Signature=0", "Signature=", 1), "64 hexadecimal"},
		{"/?X-Amz-Signature=x", good, "signed twice"},
		{"/?X-Amz-Signature=x", "", "X-Amz-Algorithm is"},
		{"/?X-Amz-Algorithm=AWS4-HMAC-SHA256", "", "not KEY/DATE"},
		{"/?%zz", "", "cannot be read"},
		{"/?" + strings.Replace(Presign("h", "/", key, "r", "s", day, time.Minute), "Expires=60", "Expires=0", 1), "", "X-Amz-Expires is"},
		{"/?" + strings.Replace(Presign("h", "/", key, "r", "s", day, time.Minute), "Date=2015", "Date=x015", 1), "", "X-Amz-Date is"},
		{"/?" + strings.Replace(Presign("h", "/", key, "r", "s", day, time.Minute), "Date=20150830", "Date=20150831", 1), "", "scope is of 20150830"},
	} {
		r := &http.Request{Method: "GET", Host: "h", Header: http.Header{}, URL: httptest.NewRequest("GET", "/", nil).URL}
		r.URL.Path, r.URL.RawQuery, _ = strings.Cut(tt.target, "?")
		r.URL.Path, r.URL.RawQuery = "/", strings.TrimPrefix(tt.target, "/?")
		if tt.target == "/" {
			r.URL.RawQuery = ""
		}
		if tt.header != "" {
			r.Header.Set("Authorization", tt.header)
			r.Header.Set("X-Amz-Date", "20150830T123600Z")
		}
		_, err := Parse(r)
		if err == nil {
			t.Errorf("%s %s: taken, want %q", tt.target, tt.header, tt.want)
			continue
		}
		check(t, err, tt.want)
	}
	if _, err := Parse(request(t, "GET", "/", "")); !errors.Is(err, ErrNone) {
		t.Errorf("unsigned: %v", err)
	}
}

// FuzzVerify: no request, however odd, is taken without the secret, and none panics.
func FuzzVerify(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\r\nHost: h\r\nX-Amz-Date: 20150830T123600Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential=A/20150830/us-east-1/iotdata/aws4_request, SignedHeaders=host;x-amz-date, Signature=" + strings.Repeat("ab", 32) + "\r\n\r\n"))
	f.Add([]byte("GET /mqtt?" + Presign("h", "/mqtt", Key{ID: "A", Secret: "other", Token: "t"}, "us-east-1", ServiceData, day, time.Minute) + " HTTP/1.1\r\nHost: h\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(data)))
		if err != nil {
			return
		}
		s, err := Parse(r)
		if err != nil {
			return
		}
		if s.Verify(r, nil, "a secret nobody knows", dataScope) == nil {
			t.Fatal("verified without the secret")
		}
	})
}
