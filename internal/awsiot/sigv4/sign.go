package sigv4

import (
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Key is what a client signs with.
type Key struct {
	ID, Secret string
	Token      string // session token, "" for none
}

// Sign adds the headers of a signed request to r: X-Amz-Date, with a token
// X-Amz-Security-Token, and Authorization. All X-Amz- headers that are there, and host, are
// signed.
func Sign(r *http.Request, body []byte, k Key, region, service string, now time.Time) error {
	now = now.UTC()
	r.Header.Set("X-Amz-Date", now.Format(timeFormat))
	if k.Token != "" {
		r.Header.Set("X-Amz-Security-Token", k.Token)
	}
	s := &Signature{KeyID: k.ID, Date: now.Format(dateFormat), Region: region, Service: service, time: now, headers: []string{"host"}}
	for name := range r.Header {
		if n := strings.ToLower(name); strings.HasPrefix(n, "x-amz-") || n == "content-type" {
			s.headers = append(s.headers, n)
		}
	}
	slices.Sort(s.headers)
	hash, err := payloadHash(r, body)
	if err != nil {
		return err
	}
	sum := mac(signingKey(k.Secret, s.Date, region, service), s.stringToSign(r, hash, false))
	r.Header.Set("Authorization", Algorithm+" Credential="+k.ID+"/"+s.Date+"/"+region+"/"+service+"/"+terminator+
		", SignedHeaders="+strings.Join(s.headers, ";")+", Signature="+hex.EncodeToString(sum))
	return nil
}

// Presign gives the query string of a signed GET of path at host, good for expires.
func Presign(host, path string, k Key, region, service string, now time.Time, expires time.Duration) string {
	now = now.UTC()
	s := &Signature{Date: now.Format(dateFormat), Region: region, Service: service, time: now, headers: []string{"host"}, query: true}
	q := url.Values{
		"X-Amz-Algorithm":     {Algorithm},
		"X-Amz-Credential":    {k.ID + "/" + s.Date + "/" + region + "/" + service + "/" + terminator},
		"X-Amz-Date":          {now.Format(timeFormat)},
		"X-Amz-Expires":       {strconv.Itoa(int(expires / time.Second))},
		"X-Amz-SignedHeaders": {"host"},
	}
	if k.Token != "" {
		q.Set("X-Amz-Security-Token", k.Token)
	}
	r := &http.Request{Method: http.MethodGet, Host: host, URL: &url.URL{Path: path, RawQuery: q.Encode()}, Header: http.Header{}}
	const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	sum := mac(signingKey(k.Secret, s.Date, region, service), s.stringToSign(r, emptyHash, false))
	return r.URL.RawQuery + "&X-Amz-Signature=" + hex.EncodeToString(sum)
}
