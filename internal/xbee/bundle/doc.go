// Package bundle is the area of the module's flash that holds compiled modules
// so that they run in place: what os.bundle() writes.
//
// A [Builder] lays modules out as the device does: raw code objects, const
// tables, constant objects, bytecode, character data and interned strings, each
// at its final address, so that package vm executes from the image and only
// what a module makes when it runs costs heap. A [Record] is what outlives
// power: the modules' .mpy content with the date and the hash of the image made
// of it; the image itself depends on the firmware's names and is built again
// when the device starts.
//
// It reads no files and prints nothing: os.bundle() is package pymod's.
//
// # Layout of the region
//
//	132 bytes   header
//	1484 bytes  371 addresses of interned strings
//	31152 bytes payload: words grow up from its start (module headers, raw code,
//	            const tables, heads of objects), bytes down from its end
//	            (bytecode, character data, interned strings)
//
// The sizes of the payload and of the table of strings are observed, that the
// region is 32 KiB is inferred from them (device-facts.md 4.2). The order inside
// is ours: two directions make alignment cost nothing, so that the sum of the
// parts is the total, as it is in the report that was observed.
package bundle

// An Area is how much a firmware sets aside for the bundle.
type Area struct {
	PayloadBytes int // for modules
	Qstrs        int // names at most
}

// headerBytes begin a region. With the sizes that were observed it is what is
// missing to 32 KiB.
const headerBytes = 132

// RegionBytes is the whole region.
func (a Area) RegionBytes() int { return a.payloadOffset() + a.PayloadBytes }

func (a Area) payloadOffset() int { return headerBytes + 4*a.Qstrs }

// ModuleHeader is what each module has in front of its code, in bytes: the
// number of its name (16 bits) and its length in words (16 bits). It is a
// calibration: device-facts.md 5.3 leaves 4 bytes of the 2188 unexplained, and
// a list of modules has to be kept somewhere.
const ModuleHeader = 4
