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
		part := re.FindStringSubmatch(host)
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
		case call.x.kind == kindAttr && call.x.name == "connect" && len(call.args) == 1 && call.args[0].value.kind == kindTuple && len(call.args[0].value.sub) == 2:
			if pair := call.args[0].value.sub; host(pair[0]) {
				c.kind, c.port = "connect", pair[1]
				do(c)
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

func awsPort(r *run) {
	r.eachConnection(func(c connection) {
		port, known := c.m.number(c.port, c.f)
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
		default:
			return
		}
		if params == nil || params.isNone() {
			r.at(c.m, c.call.place, "AWS IoT wants a certificate of the device", `ssl_params={"keyfile": ..., "certfile": ..., "ca_certs": ...}`)
			return
		}
		if d := c.m.dictOf(params, c.f); d != nil {
			have := map[string]bool{}
			r.eachKey(c.m, d, c.f, func(_ place, name string) { have[name] = true })
			if len(have) == len(d.sub)/2 && !have["certfile"] {
				r.at(c.m, c.call.place, "AWS IoT wants a certificate of the device, and ssl_params has none", `{"keyfile": ..., "certfile": ..., "ca_certs": ...}`)
			}
		}
	})
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
		topic, ok := m.text(call.args[0].value, f)
		if !ok || strings.ContainsAny(topic, "%{") {
			return
		}
		slashes := strings.Count(topic, "/")
		if strings.HasPrefix(topic, "$aws/rules/") {
			slashes -= 3
		}
		p := call.args[0].value.place
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
