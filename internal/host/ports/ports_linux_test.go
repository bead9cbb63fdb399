package ports

import (
	"os"
	"path/filepath"
	"testing"
)

// TestSysfs lists a made-up /sys: a USB adapter, a modem's CDC port, and the
// serial ports that lead nowhere.
func TestSysfs(t *testing.T) {
	root := t.TempDir()
	class := filepath.Join(root, "class")
	put := func(name, text string) {
		t.Helper()
		p := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	link := func(to, name string) {
		t.Helper()
		p := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(root, to), p); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"idVendor": "0403", "idProduct": "6015", "serial": "D30ABC", "product": "FT231X USB UART"} {
		put("devices/usb1/1-1/"+name, text)
	}
	put("devices/usb1/1-1/1-1:1.0/ttyUSB0/tty", "")
	link("drivers/ftdi_sio", "devices/usb1/1-1/1-1:1.0/ttyUSB0/driver")
	link("devices/usb1/1-1/1-1:1.0/ttyUSB0", "class/ttyUSB0/device")
	put("devices/pnp/00:01/x", "")
	link("drivers/serial8250", "devices/pnp/00:01/driver")
	link("devices/pnp/00:01", "class/ttyS0/device")
	put("class/tty0/dev", "")
	list, err := sysfs(class, "/dev")
	want := Port{Name: "/dev/ttyUSB0", VID: "0403", PID: "6015", Serial: "D30ABC", Product: "FT231X USB UART"}
	if err != nil || len(list) != 1 || list[0] != want {
		t.Errorf("%+v, %v", list, err)
	}
	for _, tt := range [][4]string{
		{"0403", "6015", "", "FTDI FT231X: a Digi XBIB-C development board, or an adapter"},
		{"0403", "6015", "Digi XBIB-CU-TH", "Digi XBIB-CU-TH"}, {"1FE2", "0001", "", "Digi"}, {"2341", "0043", "Arduino Uno", ""},
	} {
		if got := board(tt[0], tt[1], tt[2]); got != tt[3] {
			t.Errorf("%v: %q", tt, got)
		}
	}
}
