package api

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/skep-sim/skep/internal/xbee/flash"
)

// This file is frames 3B and BB: the file system (device-facts.md 11.6).

// Commands of frame 3B.
const (
	fileOpen     = 0x01
	fileClose    = 0x02
	fileRead     = 0x03
	fileWrite    = 0x04
	fileHash     = 0x08
	dirMake      = 0x10
	dirOpen      = 0x11
	dirClose     = 0x12
	dirRead      = 0x13
	pathID       = 0x1C
	pathRename   = 0x21
	pathDelete   = 0x2F
	volumeStat   = 0x40
	volumeFormat = 0x4F
)

// Options of fileOpen.
const (
	openCreate    = 0x01
	openExclusive = 0x02
	openRead      = 0x04
	openWrite     = 0x08
	openTruncate  = 0x10
	openAppend    = 0x20
	openSecure    = 0x80
	openUnknown   = 0x40
)

// fileStatus is the status of frame BB.
type fileStatus byte

// The values of fileStatus.
const (
	fileOK          fileStatus = 0x00
	fileError       fileStatus = 0x01
	fileCommand     fileStatus = 0x02
	fileParameter   fileStatus = 0x03
	fileDenied      fileStatus = 0x50
	fileExists      fileStatus = 0x51
	fileMissing     fileStatus = 0x52
	fileName        fileStatus = 0x53
	fileIsDirectory fileStatus = 0x54
	fileNotEmpty    fileStatus = 0x55
	fileEOF         fileStatus = 0x56
	fileHardware    fileStatus = 0x57
	fileFull        fileStatus = 0x59
	fileResources   fileStatus = 0x5C
)

// Limits of the frames. The longest name is documented; how much one frame
// reads or lists is a choice near to what xbee-python asks of a cellular module.
const (
	maxName     = 252
	maxFileData = 1490
)

// Flags of a directory's entry, above 24 bits of size.
const (
	entryDirectory = 1 << 31
	entrySecure    = 1 << 30
	entryLast      = 1 << 24
	entrySize      = 1<<24 - 1
)

// currentOffset is the offset that stands for the current one.
const currentOffset = 0xFFFFFFFF

// handle is frame 3B: id, command, parameters.
func (f *files) handle(d []byte) {
	f.expire()
	reply := []byte{frameFilesReply, d[1], d[2], 0}
	reply, err := f.command(d[2], d[3:], reply)
	status := statusOf(err)
	if d[1] == 0 {
		return
	}
	if reply[3] = byte(status); status != fileOK {
		reply = reply[:4]
	}
	f.a.sendFrame(reply)
}

// Error makes a status an error, for the helpers below.
func (s fileStatus) Error() string { return "file system status" }

// statusOf is the status for what an operation came to.
func statusOf(err error) fileStatus {
	var s fileStatus
	var host *flash.HostError
	switch {
	case err == nil:
		return fileOK
	case errors.As(err, &s):
		return s
	case errors.As(err, &host):
		return fileHardware
	}
	switch flash.ErrnoOf(err) {
	case flash.EPERM:
		return fileDenied
	case flash.ENOENT:
		return fileMissing
	case flash.EEXIST:
		return fileExists
	case flash.EISDIR:
		return fileIsDirectory
	case flash.EINVAL:
		return fileName
	case flash.ENFILE:
		return fileResources
	case flash.EFBIG, flash.ENOSPC:
		return fileFull
	case flash.EBADF:
		return fileParameter
	case flash.EIO:
		return fileHardware
	}
	return fileError
}

// command carries a command out and appends what its success is answered by.
func (f *files) command(cmd byte, p, reply []byte) ([]byte, error) {
	switch cmd {
	case fileOpen:
		return f.open(p, reply)
	case fileClose, fileRead, fileWrite:
		return f.onFile(cmd, p, reply)
	case fileHash:
		base, name, err := f.place(p, "")
		if err != nil {
			return reply, err
		}
		sum, err := f.fs().Hash(base, name)
		return append(reply, sum[:]...), err
	case dirMake:
		base, name, err := f.place(p, "")
		if err != nil {
			return reply, err
		}
		return reply, f.fs().Mkdir(base, name)
	case dirOpen, dirRead, dirClose:
		return f.onDirectory(cmd, p, reply)
	case pathID:
		return f.pathID(p, reply)
	case pathRename:
		return reply, f.rename(p)
	case pathDelete:
		return reply, f.remove(p)
	case volumeStat, volumeFormat:
		return f.volume(cmd, p, reply)
	}
	return reply, fileCommand
}

func (f *files) fs() *flash.FS { return f.a.conf.Files }

// place reads a path id and a name: the directory that the name is relative to,
// and the name, or none if it is empty.
func (f *files) place(p []byte, none string) (base, name string, err error) {
	if len(p) < 2 {
		return "", "", fileParameter
	}
	if base, err = f.base(binary.BigEndian.Uint16(p)); err != nil {
		return "", "", err
	}
	name, err = fileNameOf(p[2:], none)
	return base, name, err
}

func fileNameOf(p []byte, none string) (string, error) {
	if len(p) == 0 {
		p = []byte(none)
	}
	if len(p) == 0 || len(p) > maxName || bytes.IndexByte(p, 0) >= 0 {
		return "", fileName
	}
	return string(p), nil
}

// modeOf is how a file is opened with some options.
func modeOf(options byte) flash.Mode {
	has := func(bit byte) bool { return options&bit != 0 }
	return flash.Mode{
		Read: has(openRead), Write: has(openWrite), Create: has(openCreate), Exclusive: has(openExclusive),
		Truncate: has(openTruncate), Append: has(openAppend), Secure: has(openSecure), Binary: true,
	}
}

// open is: path id, options, name; handle, size.
func (f *files) open(p, reply []byte) ([]byte, error) {
	if len(p) < 3 {
		return reply, fileParameter
	}
	base, err := f.base(binary.BigEndian.Uint16(p))
	if err != nil {
		return reply, err
	}
	m := modeOf(p[2])
	if !m.Read && !m.Write || (m.Truncate || m.Append || m.Create || m.Secure) && !m.Write || m.Secure && m.Read || p[2]&openUnknown != 0 {
		return reply, fileParameter
	}
	name, err := fileNameOf(p[3:], "")
	if err != nil {
		return reply, err
	}
	file, err := f.fs().Open(base, name, m)
	if err != nil {
		return reply, err
	}
	info, err := f.fs().Stat(base, name)
	if err != nil {
		return reply, err
	}
	h := f.add(&handle{file: file})
	reply = binary.BigEndian.AppendUint16(reply, h.id)
	return binary.BigEndian.AppendUint32(reply, uint32(info.Size)), nil
}

// onFile is: handle; for reading offset, count; for writing offset, data. The
// answer begins with the handle and an offset: where the data read begin, and
// where the next write would.
func (f *files) onFile(cmd byte, p, reply []byte) ([]byte, error) {
	if len(p) < 2 {
		return reply, fileParameter
	}
	h := f.find(binary.BigEndian.Uint16(p))
	if h == nil || h.file == nil {
		return reply, fileParameter
	}
	p = p[2:]
	if cmd == fileClose {
		f.forget(h)
		return reply, h.file.Close()
	}
	if len(p) < 4 || cmd == fileRead && len(p) < 6 {
		return reply, fileParameter
	}
	if err := h.seek(binary.BigEndian.Uint32(p)); err != nil {
		return reply, err
	}
	reply = append(reply, byte(h.id>>8), byte(h.id))
	p = p[4:]
	if cmd == fileWrite {
		if _, err := h.file.Write(p); err != nil {
			return reply, err
		}
		at, err := h.file.Tell()
		return binary.BigEndian.AppendUint32(reply, uint32(at)), err
	}
	at, err := h.file.Tell()
	if err != nil {
		return reply, err
	}
	reply = binary.BigEndian.AppendUint32(reply, uint32(at))
	count := min(int(binary.BigEndian.Uint16(p)), maxFileData)
	begin := len(reply)
	reply = append(reply, make([]byte, count)...)
	n, err := h.file.Read(reply[begin:])
	if err == io.EOF {
		err = fileEOF
	}
	return reply[:begin+n], err
}

// seek goes to an offset, which in a secure file can only be the current one.
func (h *handle) seek(offset uint32) error {
	at, err := h.file.Tell()
	if err != nil || offset == currentOffset || int(offset) == at {
		return err
	}
	_, err = h.file.Seek(int64(offset), io.SeekStart)
	if flash.ErrnoOf(err) == flash.EINVAL {
		err = fileParameter
	}
	return err
}

// rename is: path id, old name, comma, new name.
func (f *files) rename(p []byte) error {
	base, name, err := f.place(p, "")
	if err != nil {
		return err
	}
	from, to, ok := strings.Cut(name, ",")
	if !ok || from == "" || to == "" {
		return fileParameter
	}
	return f.fs().Rename(base, from, to)
}

// remove is: path id, name of a file or an empty directory.
func (f *files) remove(p []byte) error {
	base, name, err := f.place(p, "")
	if err != nil {
		return err
	}
	info, err := f.fs().Stat(base, name)
	switch {
	case err != nil:
		return err
	case !info.Dir:
		return f.fs().Remove(base, name)
	}
	entries, err := f.fs().List(base, name)
	if err != nil {
		return err
	}
	if full, _ := f.fs().Chdir(base, name); len(entries) > 0 && full != "/" && full != flash.Root {
		return fileNotEmpty
	}
	return f.fs().Rmdir(base, name)
}

// volume is: name; bytes used, free, and bad, of which there are none.
func (f *files) volume(cmd byte, p, reply []byte) ([]byte, error) {
	name, err := fileNameOf(p, "")
	if err != nil {
		return reply, err
	}
	if !strings.EqualFold(path.Join("/", name), flash.Root) {
		return reply, fileMissing
	}
	if cmd == volumeFormat {
		f.reset()
		if err := f.fs().Format(); err != nil {
			return reply, err
		}
	}
	u := f.fs().Usage()
	for _, blocks := range [...]int{u.Blocks - u.Free, u.Free, 0} {
		reply = binary.BigEndian.AppendUint32(reply, uint32(blocks)*flash.BlockSize)
	}
	return reply, nil
}
