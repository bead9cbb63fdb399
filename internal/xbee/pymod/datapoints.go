package pymod

import (
	"strings"
	"time"

	"github.com/skep-sim/skep/internal/rmlink"
	"github.com/skep-sim/skep/internal/vm"
	"github.com/skep-sim/skep/internal/world"
	"github.com/skep-sim/skep/internal/xbee/drm"
)

// A DataPoints object is one block: type, number of its buffer, which is kept
// outside the heap.
const (
	pointsBytes  = 16
	pointsHandle = 1
)

// The limits of data points; none is documented (choices).
const (
	pointsRoom    = 4096 // bytes of an upload
	datagramRoom  = 480  // of one by UDP, in a datagram of the modem's 512
	pointsObjects = 5    // at once
)

// dataPoints is the buffer behind an object.
type dataPoints struct {
	udp    bool
	points int
	text   strings.Builder
	status int // idle, success or a negative errno
	upload *drm.Upload
}

// pointsPath and pointsKind are where data points go, and the form that they
// have: those of Digi's connector, and of ws/DataPoint.
const (
	pointsPath = "DataPoint/upload.csv"
	pointsKind = "text/csv"
	pointsHead = "#STREAMID,DATA,TIMESTAMP,DATATYPE,UNITS,QUALITY,DESCRIPTION,LOCATION\r\n"
)

func declareDataPoints(fw *vm.Firmware) *vm.Type {
	var t *vm.Type
	transport := []vm.Arg{{Name: fw.Q("transport"), Kind: vm.ArgInt, Int: transportTCP}}
	closePoints := func(v *vm.VM, self vm.Value) vm.Errno {
		b := board(v)
		if d, ok := b.points.get(uint32(v.Mem[self/4+pointsHandle]) >> 1); ok {
			if d.upload != nil && !d.upload.Done() {
				b.Cloud.Abandon(d.upload)
			}
			b.points.drop(uint32(v.Mem[self/4+pointsHandle]) >> 1)
		}
		v.Mem[self/4+pointsHandle] = 0
		return 0
	}
	t = fw.NewType("DataPoints", &vm.Type{
		Flags:  vm.FlagNeedsFinaliser,
		Stream: &vm.Stream{Close: closePoints}, // which the collector calls
		New: func(v *vm.VM, typ vm.Value, args, kw []vm.Value) vm.Value {
			var a [1]vm.ArgVal
			v.ParseArgs(args, kw, transport, a[:])
			if a[0].Int != transportTCP && a[0].Int != transportUDP {
				v.RaiseMsg(vm.TypeValueError, "invalid transport")
			}
			return newDataPoints(v, typ, a[0].Int == transportUDP)
		},
	})
	fw.AddStreamMethods(t, "__del__")
	of := func(v *vm.VM, self vm.Value) *dataPoints {
		if v.TypeOf(self) != t.Value() {
			v.RaiseMsg(vm.TypeTypeError, "argument has wrong type")
		}
		d, _ := board(v).points.get(uint32(v.Mem[self/4+pointsHandle]) >> 1)
		return d
	}
	add := []vm.Arg{
		{Name: fw.Q("stream_name"), Required: true}, {Name: fw.Q("value"), Required: true},
		{Name: fw.Q("units"), KwOnly: true, Obj: vm.None}, {Name: fw.Q("quality"), KwOnly: true, Obj: vm.None},
		{Name: fw.Q("description"), KwOnly: true, Obj: vm.None}, {Name: fw.Q("location"), KwOnly: true, Obj: vm.None},
	}
	fw.Method(t, "add", fw.FuncKw("add", 1, func(v *vm.VM, args, kw []vm.Value) vm.Value {
		var a [6]vm.ArgVal
		d := of(v, args[0])
		v.ParseArgs(args[1:], kw, add, a[:])
		d.add(v, a[:])
		return vm.None
	}))
	send := []vm.Arg{{Name: fw.Q("timeout"), Kind: vm.ArgInt, Int: 30}}
	fw.Method(t, "send", fw.FuncKw("send", 1, func(v *vm.VM, args, kw []vm.Value) vm.Value {
		var a [1]vm.ArgVal
		d := of(v, args[0])
		v.ParseArgs(args[1:], kw, send, a[:])
		d.send(v, a[0].Int)
		return vm.None
	}))
	fw.Method(t, "status", fw.Func1("status", func(v *vm.VM, self vm.Value) vm.Value {
		d := of(v, self)
		if d.upload != nil && board(v).Cloud != nil {
			board(v).Cloud.Step()
		}
		d.settle(v)
		if d.upload != nil {
			return vm.SmallInt(cloudSending)
		}
		return vm.SmallInt(d.status)
	}))
	return t
}

// newDataPoints makes an object; those that nobody refers to any more are
// collected before it fails with ENOBUFS.
func newDataPoints(v *vm.VM, typ vm.Value, udp bool) vm.Value {
	b := board(v)
	if b.points.count() >= pointsObjects {
		v.Collect()
	}
	if b.points.count() >= pointsObjects {
		b.note("the module has no more buffers for DataPoints objects: let those go that are done with")
		v.RaiseOS(errNoBufs)
	}
	o := v.AllocFinal(pointsBytes)
	v.Mem[o/4] = typ
	v.Mem[o/4+pointsHandle] = vm.SmallInt(int(b.points.add(&dataPoints{udp: udp})))
	return vm.Value(o)
}

// settle takes the outcome of an upload over, if it has one.
func (d *dataPoints) settle(v *vm.VM) {
	if d.upload == nil || !d.upload.Done() {
		return
	}
	d.status = cloudSuccess
	if e := d.upload.Errno(); e != 0 {
		d.status = -(int(e) + v.Options().ErrnoOffset)
	} else {
		d.text.Reset()
		d.points = 0
	}
	d.upload = nil
}

// add is add(stream_name, value, *, units, quality, description, location). The
// point is of the time of the call, once the module knows the time.
func (d *dataPoints) add(v *vm.VM, a []vm.ArgVal) {
	d.settle(v)
	if d.upload != nil {
		board(v).note("a DataPoints object takes no more points while it is being sent: wait until status() is not SENDING")
		v.RaiseOS(errAlready)
	}
	stream := string(v.StrArg(a[0].Obj))
	if stream == "" {
		v.RaiseMsg(vm.TypeValueError, "stream_name must not be empty")
	}
	data, kind := pointValue(v, a[1].Obj)
	fields := []string{stream, data, board(v).timestamp(), kind, "", "", "", ""}
	if u := a[2].Obj; u != vm.None {
		fields[4] = string(v.StrArg(u))
	}
	if d := a[4].Obj; d != vm.None {
		fields[6] = string(v.StrArg(d))
	}
	if q := a[3].Obj; q != vm.None {
		fields[5] = textOf(v, v.NewInt(int64(v.Int(q))))
	}
	if l := a[5].Obj; l != vm.None {
		var parts [3]string
		for i, x := range v.ArrayN(l, 3) {
			parts[i] = textOf(v, v.NewFloat(v.Float(x)))
		}
		fields[7] = strings.Join(parts[:], ",")
	}
	line := csvLine(fields)
	room := pointsRoom
	if d.udp {
		room = datagramRoom
		if d.points > 0 {
			room = 0
		}
	}
	if d.text.Len()+len(line) > room {
		v.RaiseOS(errNoSpc)
	}
	d.text.WriteString(line)
	d.points++
}

// pointValue is the text and the data type of a value.
func pointValue(v *vm.VM, x vm.Value) (data, kind string) {
	switch {
	case v.IsStr(x):
		return v.Str(x), "STRING"
	case v.IsFloat(x):
		return textOf(v, x), "FLOAT"
	case v.IsInt(x):
		kind = "INTEGER"
		if s := textOf(v, x); len(strings.TrimPrefix(s, "-")) > 9 {
			kind = "LONG"
		}
		return textOf(v, x), kind
	}
	v.RaiseMsg(vm.TypeTypeError, "value must be int, float or str")
	return "", ""
}

// textOf is what str() makes of a number.
func textOf(v *vm.VM, x vm.Value) string {
	var s strings.Builder
	v.NewPrinter(func(b []byte) { s.Write(b) }).Value(x, vm.PrintStr)
	return s.String()
}

// timestamp is the time of a point; "" as long as the module does not know it:
// then the point is of the time of its arrival.
func (b *Board) timestamp() string {
	seconds := b.RTC()
	if !b.timeKnown {
		return ""
	}
	return epoch.Add(time.Duration(seconds) * time.Second).Format("2006-01-02T15:04:05.000Z")
}

// csvLine is one line of RFC 4180.
func csvLine(fields []string) string {
	for i, f := range fields {
		if strings.ContainsAny(f, ",\"\r\n") || f != strings.TrimSpace(f) {
			fields[i] = `"` + strings.ReplaceAll(f, `"`, `""`) + `"`
		}
	}
	return strings.Join(fields, ",") + "\r\n"
}

// send is send(timeout=30); with 0 it does not wait for the outcome.
func (d *dataPoints) send(v *vm.VM, timeout int) {
	b := board(v)
	c := b.cloud(v)
	d.settle(v)
	switch {
	case !c.Enabled():
		v.RaiseMsg(vm.TypeTypeError, "Remote Manager is disabled")
	case timeout < 0:
		v.RaiseMsg(vm.TypeValueError, "timeout must not be negative")
	case d.upload != nil:
		v.RaiseOS(errAlready)
	case d.points == 0:
		v.RaiseOS(errInval)
	}
	body := []byte(pointsHead + d.text.String())
	if d.udp {
		d.upload = c.UploadDatagram(pointsPath, pointsKind, body)
	} else {
		d.upload = c.Upload(pointsPath, pointsKind, rmlink.Overwrite, body)
	}
	clock := b.World.Clock()
	begin := world.Uptime(clock)
	for limit := time.Duration(timeout) * time.Second; ; {
		c.Step()
		if d.upload.Done() || timeout == 0 {
			break
		}
		left := limit - (world.Uptime(clock) - begin)
		if left <= 0 {
			b.note("data points were not acknowledged in time; the object stays locked until they are")
			v.RaiseOS(errTimedOut)
		}
		if u := c.Until(); u >= 0 && u < left {
			left = u
		}
		clock.Wait(max(left, time.Millisecond), append(c.Events(), c.Changed(), b.Interrupt)...)
		v.CheckPending()
	}
	if failed := d.upload.Done() && d.upload.Errno() != 0; failed {
		if why := d.upload.Answer(); why != "" {
			b.note("Remote Manager refused the data points: " + why)
		}
		d.settle(v)
		v.RaiseOS(errIO)
	}
	d.settle(v)
}
