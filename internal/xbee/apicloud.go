package xbee

import (
	"time"

	"github.com/skep-sim/skep/internal/rmlink"
	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/api"
	"github.com/skep-sim/skep/internal/xbee/drm"
	"github.com/skep-sim/skep/internal/xbee/modem"
)

// This file is Remote Manager as the frames of API mode see it.

// uploadTime is how long frame 28 waits for Remote Manager, as long as
// digi.cloud's DataPoints.send does.
const uploadTime = 30 * time.Second

// apiCloud is the connection to Remote Manager as api.Cloud.
type apiCloud struct{ d *Device }

// Upload implements api.Cloud. The modes of the frame are those of the link.
func (c apiCloud) Upload(path, kind string, mode byte, data []byte) api.CloudStatus {
	d := c.d
	if !d.remote.Enabled() {
		d.note("API frame 28: Remote Manager is switched off: ATDO1 enables it")
		return api.CloudError
	}
	clock := d.tasks.Background()
	u := d.remote.Upload(path, kind, mode, data)
	end := world.Uptime(clock) + uploadTime
	for d.remote.Step(); !u.Done(); d.remote.Step() {
		left := end - world.Uptime(clock)
		if left <= 0 {
			d.remote.Abandon(u)
			return api.CloudTimeout
		}
		// Others may listen for the same change.
		clock.Wait(min(left, time.Second), append(d.remote.Events(), d.remote.Changed())...)
	}
	switch e := u.Errno(); e {
	case 0:
		return api.CloudOK
	case modem.EIO:
		d.note("API frame 28: Remote Manager did not take " + path + ": " + u.Answer())
		return api.CloudBadRequest
	}
	return api.CloudError
}

// hostRequest hands a device request for another target than the program to the
// host at the serial port.
func (d *Device) hostRequest(r *drm.Request) bool {
	return d.api != nil && d.api.Request(r.Target, r.Data, func(data []byte, ok bool) {
		if ok {
			r.Answer(rmlink.OK, data)
		} else {
			r.Answer(rmlink.Refused, []byte("the host did not answer in time"))
		}
	})
}
