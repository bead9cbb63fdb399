package remotemanager

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
)

// refusal is an error in the words of Digi's web services.
type refusal string

func (r refusal) Error() string { return string(r) }

func refusef(format string, args ...any) error { return refusal(fmt.Sprintf(format, args...)) }

// node is what a web service answers: a name with text, or with parts in order.
type node struct {
	name  string
	text  string
	parts []node
}

func leaf(name, text string) node { return node{name: name, text: text} }

// list is the answer to a query: a head of counts, then the items.
type list struct {
	head  []node
	items []node
}

// writeXML writes a node as Digi's services do: no attributes.
func (n node) writeXML(b *bytes.Buffer) {
	fmt.Fprintf(b, "<%s>", n.name)
	if n.parts == nil {
		xml.EscapeText(b, []byte(n.text))
	}
	for _, p := range n.parts {
		p.writeXML(b)
	}
	fmt.Fprintf(b, "</%s>", n.name)
}

// writeJSON writes the value of a node; every value is a string.
func (n node) writeJSON(b *bytes.Buffer) {
	if n.parts == nil {
		text, err := json.Marshal(n.text)
		if err != nil {
			panic("remotemanager: a string is JSON: " + err.Error())
		}
		b.Write(text)
		return
	}
	writeMembers(b, n.parts)
}

func writeMembers(b *bytes.Buffer, parts []node) {
	b.WriteByte('{')
	for i, p := range parts {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(b, "%q:", p.name)
		p.writeJSON(b)
	}
	b.WriteByte('}')
}

const xmlHead = `<?xml version="1.0" encoding="ISO-8859-1"?>` + "\n"

// wantsJSON reports whether a request is to be answered in JSON instead of XML:
// its path ends in .json, or it accepts nothing but JSON.
func wantsJSON(r *http.Request) bool {
	return strings.HasSuffix(r.URL.Path, ".json") || strings.Contains(r.Header.Get("Accept"), "json")
}

// answerList answers a query.
func answerList(w http.ResponseWriter, r *http.Request, l list) {
	var b bytes.Buffer
	if wantsJSON(r) {
		b.WriteByte('{')
		for _, h := range l.head {
			fmt.Fprintf(&b, "%q:", h.name)
			h.writeJSON(&b)
			b.WriteByte(',')
		}
		b.WriteString(`"items":[`)
		for i, item := range l.items {
			if i > 0 {
				b.WriteByte(',')
			}
			item.writeJSON(&b)
		}
		b.WriteString("]}\n")
		w.Header().Set("Content-Type", "application/json")
	} else {
		b.WriteString(xmlHead)
		node{name: "result", parts: append(append([]node{}, l.head...), l.items...)}.writeXML(&b)
		w.Header().Set("Content-Type", "application/xml")
	}
	w.Write(b.Bytes())
}

// answerNode answers with a <result> of one or more parts, such as where what was
// made is to be found, or what is wrong.
func answerNode(w http.ResponseWriter, r *http.Request, status int, parts ...node) {
	var b bytes.Buffer
	if wantsJSON(r) {
		writeMembers(&b, parts)
		w.Header().Set("Content-Type", "application/json")
	} else {
		b.WriteString(xmlHead)
		node{name: "result", parts: parts}.writeXML(&b)
		w.Header().Set("Content-Type", "application/xml")
	}
	b.WriteByte('\n')
	w.WriteHeader(status)
	w.Write(b.Bytes())
}

// answerError says why a request is refused.
func answerError(w http.ResponseWriter, r *http.Request, status int, what string, err error) {
	answerNode(w, r, status, leaf("error", what+" error. "+err.Error()))
}
