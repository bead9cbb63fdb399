package api

import "time"

// This file is Remote Manager: frames 28 and B8, B9, 2A and BA.

// Cloud is the module's connection to Remote Manager.
type Cloud interface {
	// Upload sends a file: its path and content type as the host gave them,
	// whether it overwrites (0), is archived (1), appended (2) or not stored
	// (3), and its content. It waits until that is done and returns a
	// CloudStatus.
	Upload(path, contentType string, mode byte, data []byte) CloudStatus
}

// CloudStatus is what frames B8 and BA report (xpy models/status.py).
type CloudStatus byte

// The values of CloudStatus.
const (
	CloudOK          CloudStatus = 0x00
	CloudBadRequest  CloudStatus = 0x01
	CloudUnavailable CloudStatus = 0x02
	CloudError       CloudStatus = 0x03
	CloudCancelled   CloudStatus = 0x20
	CloudTimeout     CloudStatus = 0x21
	CloudUnknown     CloudStatus = 0x40
)

// sendData is frame 28: id, length and text of the path, length and text of the
// content type, transport (0: TCP), mode, data.
func (a *API) sendData(d []byte) {
	id := d[1]
	reply := func(s CloudStatus) {
		if id != 0 {
			a.send(frameDataSent, id, byte(s))
		}
	}
	path, rest, ok := text8(d[2:])
	kind, rest, ok2 := text8(rest)
	if !ok || !ok2 || len(rest) < 2 || rest[0] != 0 || rest[1] > 3 || path == "" {
		a.note("API frame 28: it holds a path, a content type, transport 0 and an option from 0 to 3")
		reply(CloudBadRequest)
		return
	}
	if a.conf.Cloud == nil {
		a.note("API frame 28: the module has no connection to Remote Manager")
		reply(CloudError)
		return
	}
	data := append([]byte(nil), rest[2:]...)
	mode := rest[1]
	a.conf.Go("api upload", func() { reply(a.conf.Cloud.Upload(path, kind, mode, data)) })
}

// text8 cuts off a text with its length before it.
func text8(b []byte) (text string, rest []byte, ok bool) {
	if len(b) == 0 || len(b) < 1+int(b[0]) {
		return "", nil, false
	}
	n := 1 + int(b[0])
	return string(b[1:n]), b[n:], true
}

// requestTime is how long the host has to answer a device request (xpy
// packets/devicecloud.py).
const requestTime = 5 * time.Second

// request is a device request that the host has been handed.
type request struct {
	answer func(data []byte, ok bool)
}

// Request hands a device request of Remote Manager to the host: frame B9. answer
// is called once, with the host's answer, or with false when none comes within
// five seconds. Request returns false, and does not call answer, when the host
// cannot be handed anything: the port is not that of API mode, or too many
// requests wait. The target has at most 255 bytes.
func (a *API) Request(target string, data []byte, answer func(data []byte, ok bool)) bool {
	if !a.open || len(a.requests) >= 255 || len(target) > 255 {
		return false
	}
	for a.lastReq++; a.requests[a.lastReq] != nil; {
		a.lastReq++
	}
	id := a.lastReq
	r := &request{answer: answer}
	a.requests[id] = r
	b := append([]byte{frameRequest, id, 0, 0, byte(len(target))}, target...)
	a.sendFrame(append(b, data...))
	a.conf.Go("api request", func() {
		a.conf.Clock.Sleep(requestTime)
		if a.requests[id] == r {
			delete(a.requests, id)
			answer(nil, false)
		}
	})
	return true
}

// respond is frame 2A: id, id of the request, 0, data.
func (a *API) respond(d []byte) {
	status := CloudOK
	if r := a.requests[d[2]]; r != nil {
		delete(a.requests, d[2])
		r.answer(append([]byte(nil), d[4:]...), true)
	} else { // there was none, or it came too late
		status = CloudTimeout
	}
	if d[1] != 0 {
		a.send(frameResponded, d[1], byte(status))
	}
}
