package check

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/skep-sim/skep/internal/host/app"
	"github.com/skep-sim/skep/internal/host/build"
)

// This file has the rules about the files of TLS: certificates, roots and keys. What
// the modems take is in device-facts.md 6.1 and 6.3.

// credential is a file that the program names for TLS.
type credential struct {
	role string // keyfile, certfile or ca_certs
	path string // below /flash
	m    *module
	at   place
	file *app.File // nil: it is not there
}

// credentials finds the files for TLS: arguments and keys of dictionaries of these
// names whose values are constant.
func (r *run) credentials() {
	add := func(m *module, f *function, role string, value *expr) {
		if role != "keyfile" && role != "certfile" && role != "ca_certs" {
			return
		}
		if text, ok := m.text(value, f); ok && text != "" && !strings.ContainsAny(text, "%{") {
			p := strings.TrimPrefix(path.Clean(text), build.Root+"/")
			r.creds = append(r.creds, credential{role, p, m, value.place, r.files[strings.ToLower(p)]})
		}
	}
	r.each(func(m *module, f *function) {
		eachStmt(f.body, func(s *stmt) {
			for _, t := range s.targets { // PARAMS["ca_certs"] = ...
				if s.kind == stmtAssign && t != nil && t.kind == kindIndex && t.sub[0] != nil && t.sub[0].kind == kindString {
					add(m, f, t.sub[0].name, s.value)
				}
			}
		})
		f.eachExpr(func(_ *stmt, e *expr) {
			switch e.kind {
			case kindCall:
				for _, a := range e.args {
					add(m, f, a.name, a.value)
				}
			case kindDict:
				for i := 0; i+1 < len(e.sub); i += 2 {
					if k := e.sub[i]; k != nil && k.kind == kindString {
						add(m, f, k.name, e.sub[i+1])
					}
				}
			}
		})
	})
}

// eachCredential calls do once for each file of a role.
func (r *run) eachCredential(role string, do func(c credential)) {
	seen := map[string]bool{}
	for _, c := range r.creds {
		if c.role == role && !seen[strings.ToLower(c.path)] {
			seen[strings.ToLower(c.path)] = true
			do(c)
		}
	}
}

// files of an application of the local AWS IoT, which makes them if they are not there.
func (r *run) cloudMakes(p string) bool {
	return r.App.Config.Cloud.Thing != "" && slices.Contains([]string{"cert/aws.ca", "cert/aws.crt", "cert/aws.key"}, strings.ToLower(p))
}

func certMissing(r *run) {
	for _, c := range r.creds {
		switch {
		case c.file != nil:
		case r.cloudMakes(c.path):
			f := Finding{r.rule.ID, Note, c.m.file, c.at.line, c.at.column,
				"a virtual module gets " + build.Root + "/" + c.path + " from the local AWS IoT; for a real one it has to be there", c.path + ", from your AWS account"}
			if c.m.ours {
				r.findings = append(r.findings, f)
			}
		default:
			r.at(c.m, c.at, fmt.Sprintf("OSError: [Errno 7002] ENOENT: %s/%s is not in the application", build.Root, c.path), "put it there, or correct the path; skep cloud init makes certificates for the local AWS IoT")
		}
	}
}

// certificatesOf reads the certificates of a file, nil if there are none.
func certificatesOf(f *app.File) (list []*x509.Certificate) {
	for rest := f.Data; ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			return list
		}
		if c, err := x509.ParseCertificate(b.Bytes); b.Type == "CERTIFICATE" && err == nil {
			list = append(list, c)
		}
	}
}

func certFormat(r *run) {
	for _, role := range []string{"certfile", "ca_certs"} {
		r.eachCredential(role, func(c credential) {
			if c.file == nil {
				return
			}
			list := certificatesOf(c.file)
			b, _ := pem.Decode(c.file.Data)
			switch {
			case len(list) == 0 && b != nil && strings.HasSuffix(b.Type, "PRIVATE KEY"):
				r.in(c.file.From, "it holds a key and is named as "+role, "the certificate; the key is for keyfile")
			case len(list) == 0 && b == nil:
				r.in(c.file.From, "it holds no certificate in PEM form, the only one the modem takes", "openssl x509 -inform der -in FILE -out "+path.Base(c.path)+", if it is DER")
			case len(list) == 0:
				r.in(c.file.From, "it holds no certificate that can be read", "the file as AWS gave it")
			case role == "ca_certs" && len(list) > 1:
				r.in(c.file.From, fmt.Sprintf("it holds %d certificates, and the modem takes exactly one for ca_certs", len(list)), "the self-signed root alone")
			}
		})
	}
	r.eachCredential("keyfile", func(c credential) {
		if c.file != nil {
			if message, instead := wrongKey(c.file.Data); message != "" {
				r.in(c.file.From, message, instead)
			}
		}
	})
}

// wrongKey says why the modem can't read a key.
func wrongKey(data []byte) (message, instead string) {
	b, _ := pem.Decode(data)
	switch {
	case b == nil:
		return "it holds no key in PEM form, the only one the modem takes", "openssl rsa -inform der -traditional -in FILE -out new.key, if it is DER"
	case b.Headers["DEK-Info"] != "" || b.Type == "ENCRYPTED PRIVATE KEY":
		return "it is protected by a password, which nobody tells the modem", "openssl rsa -traditional -in FILE -out new.key"
	case b.Type == "CERTIFICATE":
		return "it holds a certificate and is named as keyfile", "the private key; the certificate is for certfile"
	case b.Type == "PRIVATE KEY":
		return "it is a PKCS#8 key, and the modem takes RSA keys in PKCS#1 form only", "openssl rsa -traditional -in FILE -out new.key"
	case b.Type != "RSA PRIVATE KEY":
		return fmt.Sprintf("it holds %q, and the modem takes RSA keys in PKCS#1 form only (RSA PRIVATE KEY)", b.Type), "a certificate with an RSA key"
	}
	if _, err := x509.ParsePKCS1PrivateKey(b.Bytes); err != nil {
		return "its key can't be read: " + strings.TrimPrefix(err.Error(), "x509: "), "the file as AWS gave it"
	}
	return "", ""
}

// soon is how long before its end a certificate is worth a word.
const soon = 30 * 24 * time.Hour

func certExpired(r *run) {
	for _, role := range []string{"certfile", "ca_certs"} {
		r.eachCredential(role, func(c credential) {
			if c.file == nil {
				return
			}
			for _, x := range certificatesOf(c.file) {
				day := func(t time.Time) string { return t.UTC().Format("2006-01-02") }
				switch {
				case r.Now.After(x.NotAfter):
					r.in(c.file.From, "the certificate of "+who(x)+" ended on "+day(x.NotAfter), "a new one")
				case r.Now.Before(x.NotBefore):
					r.in(c.file.From, "the certificate of "+who(x)+" begins on "+day(x.NotBefore), "one that is valid now")
				case r.Now.Add(soon).After(x.NotAfter):
					r.findings = append(r.findings, Finding{r.rule.ID, Warning, c.file.From, 0, 0, "the certificate of " + who(x) + " ends on " + day(x.NotAfter), "a new one, before that"})
				}
			}
		})
	}
}

// who is what a certificate is of.
func who(c *x509.Certificate) string {
	switch {
	case c.Subject.CommonName != "":
		return c.Subject.CommonName
	case len(c.Subject.OrganizationalUnit) > 0:
		return c.Subject.OrganizationalUnit[0]
	case len(c.Subject.Organization) > 0:
		return c.Subject.Organization[0]
	}
	return "nobody"
}

func certMismatch(r *run) {
	pair := func(crt, key *app.File) {
		if crt == nil || key == nil {
			return
		}
		list := certificatesOf(crt)
		b, _ := pem.Decode(key.Data)
		if len(list) == 0 || b == nil || b.Type != "RSA PRIVATE KEY" {
			return
		}
		k, err := x509.ParsePKCS1PrivateKey(b.Bytes)
		if err != nil {
			return
		}
		if pub, ok := list[0].PublicKey.(*rsa.PublicKey); !ok || !pub.Equal(&k.PublicKey) {
			r.in(crt.From, "it is not the certificate of the key in "+key.From, "the two files that were made together")
		}
	}
	var crts, keys []*app.File
	r.eachCredential("certfile", func(c credential) { crts = append(crts, c.file) })
	r.eachCredential("keyfile", func(c credential) { keys = append(keys, c.file) })
	if len(crts) == 1 && len(keys) == 1 {
		pair(crts[0], keys[0])
		return
	}
	// With several of them those of one name belong together.
	for _, c := range crts {
		for _, k := range keys {
			if c != nil && k != nil && strings.TrimSuffix(c.Path, path.Ext(c.Path)) == strings.TrimSuffix(k.Path, path.Ext(k.Path)) {
				pair(c, k)
			}
		}
	}
}

func caNotRoot(r *run) {
	r.eachCredential("ca_certs", func(c credential) {
		if c.file == nil {
			return
		}
		list := certificatesOf(c.file)
		if len(list) != 1 {
			return
		}
		x := list[0]
		switch {
		case x.BasicConstraintsValid && !x.IsCA:
			r.in(c.file.From, "it is the certificate of "+who(x)+", which signs no others", "the root of the server's chain")
		case r.Firmware.RootOnly && !bytes.Equal(x.RawIssuer, x.RawSubject):
			r.in(c.file.From, "it is no root certificate (it is signed by "+x.Issuer.CommonName+"), and the modem can't do with less", "the self-signed root at the end of the server's chain")
		}
	})
}

func caNotUsed(r *run) {
	if !r.usesAWS() {
		return
	}
	// Source: aws-iot-facts.md 1.1: the modems need the end of the long chain.
	root := "Starfield Services Root Certificate Authority - G2 (SFSRootCAG2.pem)"
	if r.Firmware.Model != "ltem" {
		root = "Starfield Class 2 Certification Authority (sf-class2-root.crt)"
	}
	r.eachCredential("ca_certs", func(c credential) {
		if c.file == nil {
			return
		}
		for _, x := range certificatesOf(c.file) {
			if name := who(x); strings.HasPrefix(name, "Amazon Root CA") || strings.HasPrefix(name, "VeriSign") {
				r.in(c.file.From, "the chain that AWS sends goes on behind "+name+", and these modems want the root at its end", root)
			}
		}
	})
}

func keyNotSecure(r *run) {
	for i := range r.Files {
		f := &r.Files[i]
		if !f.Secure && bytes.Contains(f.Data, []byte("PRIVATE KEY-----")) && !strings.HasSuffix(f.Path, ".py") && !strings.HasSuffix(f.Path, ".mpy") {
			r.in(f.From, "it holds a private key, and would lie on the module for anybody to read back", fmt.Sprintf("cert/NAME.key, or secure = [%q] under [build] in skep.toml", f.Path))
		}
	}
	for _, m := range r.modules {
		for i, line := range m.lines {
			if at := strings.Index(line, "PRIVATE KEY-----"); at >= 0 && strings.Contains(line, "-----BEGIN") {
				r.at(m, place{i + 1, 1 + strings.Index(line, "-----BEGIN")}, "a private key in a source goes into git, and onto the module for anybody to read back", "a file cert/NAME.key, and its path as keyfile")
			}
		}
	}
}

func secureRead(r *run) {
	r.eachCall(func(m *module, f *function, _ *stmt, call *expr) {
		q := m.qualify(call.x, f)
		if q != "uio.open" && !(call.x.kind == kindName && call.x.name == "open" && m.find("open", f) == nil) {
			return
		}
		mode := "r"
		if e := call.argument(1, "mode"); e != nil {
			text, ok := m.text(e, f)
			if !ok {
				return
			}
			mode = text
		}
		name, ok := m.text(call.argument(0, "file"), f)
		if !ok || strings.ContainsAny(mode, "wax+") {
			return
		}
		if file := r.files[strings.ToLower(strings.TrimPrefix(path.Clean(name), build.Root+"/"))]; file != nil && file.Secure {
			r.at(m, call.place, "OSError: [Errno 7001] EPERM: "+name+" is a secure file, which can be used for TLS and not be read", "its path as keyfile")
		}
	})
}
