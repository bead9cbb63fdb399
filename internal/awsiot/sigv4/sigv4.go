// Package sigv4 verifies AWS Signature Version 4, in the Authorization header or in the query
// string of a request, as AWS's services do: HTTPS and MQTT over WebSocket on port 443 have it
// in place of a client certificate.
//
// It follows the published description (AWS General Reference, "Signature Version 4 signing
// process"). It signs too, for tests and for the program's own calls. It is not the store of
// credentials, and it decides nothing about what a key may do.
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Algorithm is the only one there is.
const Algorithm = "AWS4-HMAC-SHA256"

// Services as they stand in a signature's scope.
const (
	ServiceData    = "iotdata"          // the REST API
	ServiceJobs    = "iot-jobs-data"    // the REST API of jobs
	ServiceGateway = "iotdevicegateway" // MQTT over WebSocket
)

const (
	// Skew is how far a request's date may be from the service's time.
	Skew = 5 * time.Minute
	// maxExpires is the longest life of a signed URL: seven days.
	maxExpires = 7 * 24 * time.Hour

	timeFormat = "20060102T150405Z"
	dateFormat = "20060102"
	terminator = "aws4_request"
	headerHash = "X-Amz-Content-Sha256"
)

// ErrNone says that a request carries no signature at all.
var ErrNone = errors.New("the request is neither signed (SigV4) nor does it come with a client certificate")

// Signature is what a request says about its signature, before anything is verified.
type Signature struct {
	KeyID   string // access key id
	Date    string // yyyymmdd
	Region  string
	Service string
	Token   string // session token, "" for none

	time    time.Time
	expires time.Duration // of a signed URL; 0 for a header
	headers []string      // signed ones, in lower case
	sum     []byte
	query   bool
}

// Parse reads the signature of a request. The error is ErrNone when there is none, else it says
// what is wrong with the one there is.
func Parse(r *http.Request) (*Signature, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("the query string cannot be read: %w", err)
	}
	header := r.Header.Get("Authorization")
	switch {
	case header != "" && query.Has("X-Amz-Signature"):
		return nil, errors.New("the request is signed twice, in the Authorization header and in the query string")
	case header != "":
		return parseHeader(r, header)
	case query.Has("X-Amz-Signature") || query.Has("X-Amz-Algorithm"):
		return parseQuery(query)
	}
	return nil, ErrNone
}

func parseHeader(r *http.Request, header string) (*Signature, error) {
	s := &Signature{Token: r.Header.Get("X-Amz-Security-Token")}
	algorithm, rest, _ := strings.Cut(header, " ")
	if algorithm != Algorithm {
		return nil, fmt.Errorf("the Authorization header begins with %.20q, not %s", algorithm, Algorithm)
	}
	fields := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok {
			return nil, fmt.Errorf("the Authorization header has %.40q, which is not NAME=VALUE", part)
		}
		fields[name] = value
	}
	if err := s.scope(fields["Credential"], "Credential"); err != nil {
		return nil, err
	}
	if err := s.signed(fields["SignedHeaders"], fields["Signature"]); err != nil {
		return nil, err
	}
	at := r.Header.Get("X-Amz-Date")
	if at == "" {
		// A Date header will do as well.
		t, err := http.ParseTime(r.Header.Get("Date"))
		if err != nil {
			return nil, errors.New("the request has neither X-Amz-Date nor a Date that can be read")
		}
		at = t.UTC().Format(timeFormat)
	}
	return s, s.setTime(at)
}

func parseQuery(query url.Values) (*Signature, error) {
	s := &Signature{Token: query.Get("X-Amz-Security-Token"), query: true, expires: Skew}
	if a := query.Get("X-Amz-Algorithm"); a != Algorithm {
		return nil, fmt.Errorf("X-Amz-Algorithm is %.20q, not %s", a, Algorithm)
	}
	if err := s.scope(query.Get("X-Amz-Credential"), "X-Amz-Credential"); err != nil {
		return nil, err
	}
	if err := s.signed(query.Get("X-Amz-SignedHeaders"), query.Get("X-Amz-Signature")); err != nil {
		return nil, err
	}
	if v := query.Get("X-Amz-Expires"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > int(maxExpires/time.Second) {
			return nil, fmt.Errorf("X-Amz-Expires is %.20q: it is a number of seconds from 1 to %d", v, maxExpires/time.Second)
		}
		s.expires = time.Duration(n) * time.Second
	}
	return s, s.setTime(query.Get("X-Amz-Date"))
}

// scope takes KEY/DATE/REGION/SERVICE/aws4_request apart.
func (s *Signature) scope(text, field string) error {
	p := strings.Split(text, "/")
	if len(p) != 5 || slices.Contains(p, "") || p[4] != terminator {
		return fmt.Errorf("%s is %.80q, not KEY/DATE/REGION/SERVICE/%s", field, text, terminator)
	}
	s.KeyID, s.Date, s.Region, s.Service = p[0], p[1], p[2], p[3]
	return nil
}

func (s *Signature) signed(headers, sum string) error {
	s.headers = strings.Split(headers, ";")
	if !slices.Contains(s.headers, "host") {
		return fmt.Errorf("the signed headers are %.80q: host must be among them", headers)
	}
	for _, h := range s.headers {
		if h != strings.ToLower(h) {
			return fmt.Errorf("the signed header %.40q must be in lower case", h)
		}
	}
	var err error
	if s.sum, err = hex.DecodeString(sum); err != nil || len(s.sum) != sha256.Size {
		return errors.New("the signature is not 64 hexadecimal digits")
	}
	return nil
}

func (s *Signature) setTime(text string) error {
	var err error
	if s.time, err = time.Parse(timeFormat, text); err != nil {
		return fmt.Errorf("X-Amz-Date is %.40q, not of the form YYYYMMDDTHHMMSSZ", text)
	}
	if d := s.time.Format(dateFormat); d != s.Date {
		return fmt.Errorf("the signature's scope is of %s, the request of %s", s.Date, d)
	}
	return nil
}

// Scope is what a service demands of a signature.
type Scope struct {
	Region   string   // "" for any
	Services []string // any of them will do
	Now      time.Time
}

// Verify says whether the request r with this body was signed with the key's secret, in its
// time and for this service. The error is for a log: AWS tells clients less.
func (s *Signature) Verify(r *http.Request, body []byte, secret string, scope Scope) error {
	switch {
	case scope.Region != "" && s.Region != scope.Region:
		return fmt.Errorf("the signature is for region %q, this is %q", s.Region, scope.Region)
	case !slices.Contains(scope.Services, s.Service):
		return fmt.Errorf("the signature is for service %q, this is %s", s.Service, strings.Join(scope.Services, " or "))
	}
	now := scope.Now.UTC()
	switch age := now.Sub(s.time); {
	case age < -Skew:
		return fmt.Errorf("the request is dated %s, which is not yet: it is %s", s.time.Format(timeFormat), now.Format(timeFormat))
	case age > s.expires && s.query:
		return fmt.Errorf("the signed URL of %s was good for %v: it is %s", s.time.Format(timeFormat), s.expires, now.Format(timeFormat))
	case age > Skew && !s.query:
		return fmt.Errorf("the request is dated %s, more than %v ago: it is %s", s.time.Format(timeFormat), Skew, now.Format(timeFormat))
	}
	if !s.query {
		// What is left unsigned could be changed on the way.
		for name := range r.Header {
			if n := strings.ToLower(name); strings.HasPrefix(n, "x-amz-") && !slices.Contains(s.headers, n) {
				return fmt.Errorf("the header %s is not signed", n)
			}
		}
	}
	hash, err := payloadHash(r, body)
	if err != nil {
		return err
	}
	key := signingKey(secret, s.Date, s.Region, s.Service)
	if hmac.Equal(s.sum, mac(key, s.stringToSign(r, hash, false))) {
		return nil
	}
	// The device gateway takes URLs to which the session token was added after signing, as
	// AWS's own device SDKs make them.
	if s.query && s.Token != "" && hmac.Equal(s.sum, mac(key, s.stringToSign(r, hash, true))) {
		return nil
	}
	return errors.New("the signature does not match: the secret, the host, the path or a header differs from what was signed")
}

// payloadHash is the hash that stands in the canonical request.
func payloadHash(r *http.Request, body []byte) (string, error) {
	sum := sha256.Sum256(body)
	actual := hex.EncodeToString(sum[:])
	if named := r.Header.Get(headerHash); named != "" && named != actual {
		return "", fmt.Errorf("%s is not the hash of the body", strings.ToLower(headerHash))
	}
	return actual, nil
}

func (s *Signature) stringToSign(r *http.Request, hash string, withoutToken bool) string {
	canonical := sha256.Sum256([]byte(s.canonical(r, hash, withoutToken)))
	return strings.Join([]string{
		Algorithm, s.time.Format(timeFormat),
		strings.Join([]string{s.Date, s.Region, s.Service, terminator}, "/"),
		hex.EncodeToString(canonical[:]),
	}, "\n")
}

func (s *Signature) canonical(r *http.Request, hash string, withoutToken bool) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n" + canonicalPath(r.URL.EscapedPath()) + "\n" + canonicalQuery(r.URL.RawQuery, withoutToken) + "\n")
	for _, h := range s.headers {
		b.WriteString(h + ":" + canonicalHeader(r, h) + "\n")
	}
	b.WriteString("\n" + strings.Join(s.headers, ";") + "\n" + hash)
	return b.String()
}

// canonicalPath normalises the path and encodes it once more than it is: all services but S3.
func canonicalPath(path string) string {
	var out []string
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "", ".":
		case "..":
			out = out[:max(0, len(out)-1)]
		default:
			out = append(out, escape(segment))
		}
	}
	p := "/" + strings.Join(out, "/")
	if p != "/" && strings.HasSuffix(path, "/") {
		p += "/"
	}
	return p
}

// canonicalQuery sorts the parameters, without the signature itself.
func canonicalQuery(raw string, withoutToken bool) string {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return "" // Parse has refused it
	}
	var list []string
	for name, all := range values {
		if name == "X-Amz-Signature" || withoutToken && name == "X-Amz-Security-Token" {
			continue
		}
		for _, v := range all {
			list = append(list, escape(name)+"="+escape(v))
		}
	}
	// By name, then value: '=' would sort after some characters of longer names.
	slices.SortFunc(list, func(a, b string) int {
		an, av, _ := strings.Cut(a, "=")
		bn, bv, _ := strings.Cut(b, "=")
		if c := strings.Compare(an, bn); c != 0 {
			return c
		}
		return strings.Compare(av, bv)
	})
	return strings.Join(list, "&")
}

func canonicalHeader(r *http.Request, name string) string {
	if name == "host" {
		return r.Host
	}
	if name == "content-length" {
		return strconv.FormatInt(r.ContentLength, 10)
	}
	var values []string
	for _, v := range r.Header.Values(name) {
		values = append(values, strings.Join(strings.Fields(v), " "))
	}
	return strings.Join(values, ",")
}

// escape is percent-encoding as SigV4 wants it: all but the unreserved characters.
func escape(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}

func signingKey(secret, date, region, service string) []byte {
	key := []byte("AWS4" + secret)
	for _, part := range []string{date, region, service, terminator} {
		key = mac(key, part)
	}
	return key
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
