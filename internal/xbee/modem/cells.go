package modem

import "time"

// Cell is a cell of the network that the modem hears.
type Cell struct {
	Serving  bool
	Area     uint32 // tracking area code
	ID       uint32
	MCC, MNC string  // of its operator: digits
	Signal   float32 // RSRP, dBm
}

// SetCells sets the cells around the module; nil are those made up from its
// serial number.
func (m *Modem) SetCells(cells []Cell) { m.cells = append([]Cell(nil), cells...) }

// How long scans take: the deep one as xmp network.pyi has it, the other a
// choice.
const (
	scanTime     = 5 * time.Second
	deepScanTime = 25 * time.Second
)

// StartScan begins to look for cells. For the time that it returns the modem
// looks; the caller waits, and asks for Cells then. A deep scan leaves the
// network: connections end, and registration begins when the scan ends.
func (m *Modem) StartScan(deep bool) time.Duration {
	if !deep {
		return scanTime
	}
	m.advance()
	m.LoseConnections()
	m.registration.start(m.now()+deepScanTime.Microseconds(), true)
	m.changed()
	return deepScanTime
}

// Cells are the cells the modem hears, the serving one first: none while the
// radio is off or there is no coverage. A deep scan finds other operators' cells
// too, and none that serves.
func (m *Modem) Cells(deep bool) []Cell {
	if m.Airplane() || m.registration.uncovered {
		return nil
	}
	cells := append([]Cell(nil), m.cells...)
	if m.cells == nil {
		cells = m.someCells(deep)
	}
	for i := range cells {
		cells[i].Serving = cells[i].Serving && !deep && m.Registration().registered()
	}
	return cells
}

// someCells makes up cells: one that serves and two neighbours of the same
// operator, and two of another one for a deep scan.
func (m *Modem) someCells(deep bool) []Cell {
	d := digits{serial: m.serial}
	area := uint32(0x1000 + d.number("area", 0x6000))
	first := uint32(d.number("cell", 1<<20)) << 8
	mcc, mnc := m.identity.IMSI[:3], m.identity.IMSI[3:6]
	rsrp := m.identity.Signal.RSRP
	cells := []Cell{
		{Serving: true, Area: area, ID: first | 1, MCC: mcc, MNC: mnc, Signal: rsrp},
		{Area: area, ID: first | 2, MCC: mcc, MNC: mnc, Signal: rsrp - 7},
		{Area: area, ID: first&^0x3FF | 0x203, MCC: mcc, MNC: mnc, Signal: rsrp - 13},
	}
	if deep {
		area, first = area^0x155, first^0x5A5A00
		cells = append(cells, Cell{Area: area, ID: first | 1, MCC: "311", MNC: "480", Signal: rsrp - 5},
			Cell{Area: area, ID: first | 2, MCC: "311", MNC: "480", Signal: rsrp - 15})
	}
	return cells
}
