// Package ports lists the serial ports of this machine, with what their USB
// adapters say of themselves, and names those that Digi's boards have.
//
// It opens none of them.
package ports

import (
	"cmp"
	"slices"
	"strings"
)

// Port is a serial port.
type Port struct {
	Name    string `json:"name"`              // what to give as --port
	VID     string `json:"vid,omitempty"`     // USB vendor, four hexadecimal digits
	PID     string `json:"pid,omitempty"`     // USB product
	Serial  string `json:"serial,omitempty"`  // of the adapter
	Product string `json:"product,omitempty"` // as the adapter names itself
	Board   string `json:"board,omitempty"`   // what an XBee is likely to be on
}

// boards are USB identities that XBee 3 Cellular modules are found behind. Digi's
// development boards (XBIB) have FTDI's converters under FTDI's own identity, so
// that a board of somebody else's may be meant; 0403:6015 is the FT231X of the
// XBIB-CU-TH and XBIB-C-TH, 0403:6001 the FT232R of older ones. 1FE2 is Digi.
var boards = []struct{ vid, pid, name string }{
	{"0403", "6015", "FTDI FT231X: a Digi XBIB-C development board, or an adapter"},
	{"0403", "6001", "FTDI FT232R: a Digi XBIB-U development board, or an adapter"},
	{"0403", "6010", "FTDI FT2232: a board with two ports"},
	{"1FE2", "", "Digi"},
	{"10C4", "EA60", "Silicon Labs CP210x: an adapter (SparkFun XBee Explorer, Waveshare)"},
	{"1A86", "7523", "CH340: an adapter"},
	{"067B", "2303", "Prolific PL2303: an adapter"},
}

// List lists the ports, those that a module may be at first.
func List() ([]Port, error) {
	all, err := system()
	for i := range all {
		p := &all[i]
		p.VID, p.PID = strings.ToUpper(p.VID), strings.ToUpper(p.PID)
		p.Board = board(p.VID, p.PID, p.Product)
	}
	slices.SortFunc(all, func(a, b Port) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(len(a.Name), len(b.Name)), cmp.Compare(a.Name, b.Name))
	})
	return all, err
}

func rank(p Port) int {
	switch {
	case p.Board != "":
		return 0
	case p.VID != "":
		return 1
	}
	return 2
}

func board(vid, pid, product string) string {
	if strings.Contains(strings.ToLower(product), "xbee") || strings.Contains(strings.ToLower(product), "digi") {
		return product
	}
	for _, b := range boards {
		if b.vid == vid && (b.pid == pid || b.pid == "") {
			return b.name
		}
	}
	return ""
}
