package check

import (
	"fmt"
	"regexp"
	"strings"
)

// This file has the rules about AWS IoT: endpoints, ports, certificates, MQTT.

// endpoint is the form of an AWS IoT endpoint: prefix, -ats, region.
func endpoint() *regexp.Regexp {
	return regexp.MustCompile(`^([a-z0-9]{4,}?)(-ats)?\.iot\.([a-z]{2,}-[a-z-]+-[0-9])\.amazonaws\.com$`)
}

// awsHost reports whether a text is an AWS IoT endpoint, or a pattern for one.
func awsHost(s string) bool {
	return strings.HasSuffix(s, ".amazonaws.com") && strings.Contains(s, ".iot.")
}

// buildsATS reports whether the application puts -ats into a name by itself, so that
// what a constant looks like says nothing.
func (r *run) buildsATS() bool {
	found := false
	for _, m := range r.modules {
		for _, f := range m.all {
			f.eachExpr(func(_ *stmt, e *expr) {
				if e.kind == kindString || e.kind == kindBytes {
					found = found || strings.HasPrefix(e.name, "-ats")
				}
			})
		}
	}
	return found
}

func awsEndpoint(r *run) {
	if r.Firmware.ATS == ATSAny || r.buildsATS() {
		return
	}
	re := endpoint()
	judge := func(host string, report func(message, instead string)) {
		part := re.FindStringSubmatch(strings.ToLower(host))
		switch {
		case part == nil:
		case part[2] == "" && r.Firmware.ATS == ATSRequired:
			report(fmt.Sprintf("OSError: [Errno 7005] EIO in connect(): with %s TLS works only with endpoints that end in -ats", r.Firmware.Name),
				fmt.Sprintf("%s-ats.iot.%s.amazonaws.com", part[1], part[3]))
		case part[2] != "" && r.Firmware.ATS == ATSRefused:
			report(fmt.Sprintf("OSError: [Errno 7111] ECONNREFUSED in connect(): with %s TLS works only with endpoints that do not end in -ats", r.Firmware.Name),
				fmt.Sprintf("%s.iot.%s.amazonaws.com", part[1], part[3]))
		}
	}
	r.each(func(m *module, f *function) {
		seen := map[*expr]bool{} // a sum is found before its parts
		f.eachExpr(func(_ *stmt, e *expr) {
			if e.kind != kindString && e.kind != kindBytes && e.kind != kindBinary && e.kind != kindCall || seen[e] {
				return
			}
			text, ok := m.text(e, f)
			if !ok {
				return
			}
			judge(hostOf(text), func(message, instead string) {
				e.walk(func(part *expr) { seen[part] = true })
				r.at(m, e.place, message, instead)
			})
		})
	})
	word := regexp.MustCompile(`[a-z0-9-]+\.iot\.[a-z0-9-]+\.amazonaws\.com`)
	for i := range r.Files {
		f := &r.Files[i]
		if !strings.HasSuffix(f.Path, ".json") && !strings.HasSuffix(f.Path, ".txt") && !strings.HasSuffix(f.Path, ".cfg") {
			continue
		}
		for n, line := range strings.Split(string(f.Data), "\n") {
			for _, at := range word.FindAllStringIndex(line, -1) {
				judge(line[at[0]:at[1]], func(message, instead string) {
					r.findings = append(r.findings, Finding{r.rule.ID, r.rule.Severity, f.From, n + 1, at[0] + 1, message, instead})
				})
			}
		}
	}
}

// hostOf is the host of a URL, or the text itself.
func hostOf(text string) string {
	if _, rest, ok := strings.Cut(text, "://"); ok {
		text = rest
	}
	text, _, _ = strings.Cut(text, "/")
	text, _, _ = strings.Cut(text, ":")
	return text
}

// usesAWS reports whether the application has to do with AWS IoT.
func (r *run) usesAWS() bool {
	if r.App.Config.Cloud.Thing != "" {
		return true
	}
	found := false
	for _, m := range r.modules {
		for _, f := range m.all {
			f.eachExpr(func(_ *stmt, e *expr) {
				if e.kind == kindString || e.kind == kindBytes {
					found = found || awsHost(hostOf(e.name))
				}
			})
		}
	}
	return found
}

// connection is a place at which the program connects to an AWS endpoint.
type connection struct {
	m    *module
	f    *function
	call *expr
	port *expr
	// portOf is where the names in port have their meaning, if it is another place.
	portOf value
	// kind is connect, mqtt or http; url is the text of a URL.
	kind, url string
}

// eachConnection finds connections to endpoints that are constant.
func (r *run) eachConnection(do func(c connection)) {
	r.eachCall(func(m *module, f *function, _ *stmt, call *expr) {
		c := connection{m: m, f: f, call: call}
		host := func(e *expr) bool {
			text, ok := m.text(e, f)
			return ok && awsHost(text)
		}
		q := m.qualify(call.x, f)
		switch {
		case call.x.kind == kindAttr && call.x.name == "connect" && len(call.args) == 1:
			if a := m.address(call.args[0].value, f); a.e != nil {
				if text, ok := a.m.text(a.e.sub[0], a.f); ok && awsHost(text) {
					c.kind, c.port, c.portOf = "connect", a.e.sub[1], a
					do(c)
				}
			}
		case strings.HasPrefix(q, "umqtt") && strings.HasSuffix(q, ".MQTTClient"):
			if host(call.argument(1, "server")) {
				c.kind, c.port = "mqtt", call.argument(2, "port")
				do(c)
			}
		case strings.HasPrefix(q, "uhttp.") && len(call.args) > 1 && host(call.argument(1, "host")):
			c.kind, c.port = "http", call.argument(3, "port")
			do(c)
		case strings.HasPrefix(q, "urequests.") || strings.HasPrefix(q, "requests."):
			for _, a := range call.args {
				if text, ok := m.text(a.value, f); ok && strings.Contains(text, "://") && awsHost(hostOf(text)) {
					c.kind, c.url = "url", text
					do(c)
				}
			}
		}
	})
}

// address is the pair of host and port that connect() is given: a tuple, or what
// getaddrinfo() makes of the two, perhaps by way of a name.
func (m *module) address(e *expr, f *function) value {
	for v, depth := (value{e, m, f}), steps; v.e != nil && depth > 0; depth-- {
		switch {
		case v.e.kind == kindTuple && len(v.e.sub) == 2:
			return v
		case v.e.kind == kindIndex:
			v.e = v.e.x
		case v.e.kind == kindCall && v.m.qualify(v.e.x, v.f) == "usocket.getaddrinfo" && len(v.e.args) > 1 && !v.e.starred():
			v.e = &expr{kind: kindTuple, place: v.e.place, sub: []*expr{v.e.args[0].value, v.e.args[1].value}}
			return v
		case v.e.kind == kindName || v.e.kind == kindAttr:
			v = v.m.valueOf(v.e, v.f)
		default:
			return value{}
		}
	}
	return value{}
}

func awsPort(r *run) {
	r.eachConnection(func(c connection) {
		of := c.portOf
		if of.m == nil {
			of = value{nil, c.m, c.f}
		}
		port, known := of.m.number(c.port, of.f)
		switch c.kind {
		case "connect":
			if known && port != 8883 && port != 8443 {
				r.at(c.m, c.port.place, fmt.Sprintf("AWS IoT answers at port 8883 (MQTT) and 8443 (HTTPS) with a certificate, not at %d: 443 wants ALPN, which the module does not have", port), "8883 or 8443")
			}
		case "mqtt":
			if known && port != 8883 && port != 0 {
				r.at(c.m, c.port.place, fmt.Sprintf("AWS IoT's MQTT is at port 8883, not at %d", port), "8883, or no port at all together with ssl=True")
			}
		case "http":
			if c.port == nil {
				r.at(c.m, c.call.place, "AWS IoT's HTTPS with a certificate is at port 8443; without a port this goes to 443", "8443")
			} else if known && port != 8443 {
				r.at(c.m, c.port.place, fmt.Sprintf("AWS IoT's HTTPS with a certificate is at port 8443, not at %d", port), "8443")
			}
		case "url":
			if !strings.HasPrefix(c.url, "https://"+hostOf(c.url)+":8443/") {
				r.at(c.m, c.call.place, "AWS IoT's HTTPS with a certificate is at port 8443", "https://"+hostOf(c.url)+":8443/...")
			}
		}
	})
}

func awsCertificate(r *run) {
	r.eachConnection(func(c connection) {
		if c.call.starred() {
			return
		}
		var params *expr
		switch c.kind {
		case "mqtt":
			ssl := c.call.argument(6, "ssl")
			if ssl == nil || ssl.kind == kindToken && !ssl.isTrue() {
				r.at(c.m, c.call.place, "AWS IoT speaks TLS only, and wants a certificate of the device", `ssl=True, ssl_params={"keyfile": ..., "certfile": ..., "ca_certs": ...}`)
				return
			}
			params = c.call.argument(7, "ssl_params")
		case "http":
			params = c.call.argument(5, "ssl_params")
		case "connect":
			r.awsSocket(c)
			return
		default:
			return
		}
		if params == nil || params.isNone() {
			r.at(c.m, c.call.place, "AWS IoT wants a certificate of the device", `ssl_params={"keyfile": ..., "certfile": ..., "ca_certs": ...}`)
			return
		}
		have := map[string]bool{}
		if c.m.eachKey(params, c.f, func(_ place, name string) { have[name] = true }) && !have["certfile"] {
			r.at(c.m, c.call.place, "AWS IoT wants a certificate of the device, and ssl_params has none", `{"keyfile": ..., "certfile": ..., "ca_certs": ...}`)
		}
	})
}

// awsSocket looks at a socket that is connected to AWS IoT: it is to be of TLS, with a
// certificate.
func (r *run) awsSocket(c connection) {
	v := value{c.call.x.x, c.m, c.f}
	if v.e.kind == kindName || v.e.kind == kindAttr {
		v = v.m.valueOf(v.e, v.f)
	}
	if v.e == nil || v.e.kind != kindCall {
		return
	}
	switch v.m.qualify(v.e.x, v.f) {
	case socketCall:
		if s, ok := (&follower{r: r, m: v.m, f: v.f}).made(v.e); ok && s.plain {
			r.at(c.m, c.call.place, "AWS IoT speaks TLS only, and wants a certificate of the device", "ussl.wrap_socket() of a socket with IPPROTO_SEC, with keyfile, certfile and ca_certs")
		}
	case wrapCall:
		if !v.e.starred() && v.e.argument(-1, "certfile") == nil {
			r.at(c.m, c.call.place, "AWS IoT wants a certificate of the device", "wrap_socket(s, keyfile=..., certfile=..., ca_certs=...)")
		}
	}
}

// isMQTT reports whether a call is a method of an MQTT client.
func isMQTT(call *expr, method string) bool {
	return call.x.kind == kindAttr && call.x.name == method
}

func mqttQoS(r *run) {
	if !r.usesAWS() {
		return
	}
	r.eachCall(func(m *module, f *function, _ *stmt, call *expr) {
		var qos *expr
		switch {
		case isMQTT(call, "publish"), isMQTT(call, "set_last_will"):
			qos = call.argument(3, "qos")
		case isMQTT(call, "subscribe"):
			qos = call.argument(1, "qos")
		}
		if n, ok := m.number(qos, f); ok && n == 2 {
			r.at(m, qos.place, "AWS IoT closes the connection: it has QoS 0 and 1", "1")
		}
	})
}

// Limits of topics. Source: aws-iot-facts.md 1.2.
const (
	topicBytes   = 256
	topicSlashes = 7
)

func mqttTopic(r *run) {
	if !r.usesAWS() {
		return
	}
	r.eachCall(func(m *module, f *function, _ *stmt, call *expr) {
		publish := isMQTT(call, "publish")
		if !publish && !isMQTT(call, "subscribe") || len(call.args) == 0 || publish && len(call.args) < 2 {
			return
		}
		at := call.argument(0, "topic")
		topic, ok := m.text(at, f)
		if !ok {
			// What fills it in may have slashes of its own, and adds no fewer.
			topic, ok = m.template(at, f)
			publish = false
		} else if strings.ContainsAny(topic, "%{") {
			return
		}
		if !ok {
			return
		}
		slashes := strings.Count(topic, "/")
		if strings.HasPrefix(topic, "$aws/rules/") {
			slashes -= 3
		}
		p := at.place
		switch {
		case len(topic) > topicBytes:
			r.at(m, p, fmt.Sprintf("AWS IoT closes the connection: a topic has %d bytes at most, and this has %d", topicBytes, len(topic)), "a shorter topic")
		case slashes > topicSlashes:
			r.at(m, p, fmt.Sprintf("AWS IoT closes the connection: a topic has %d slashes at most, and this has %d", topicSlashes, slashes), "fewer levels")
		case publish && strings.ContainsAny(topic, "+#"):
			r.at(m, p, "AWS IoT closes the connection: + and # are for subscribing only", "the topic itself")
		}
	})
}
