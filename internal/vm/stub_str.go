package vm

// Owner: strings. Replaced by str.go, ...

func (fw *Firmware) initStrings() {}
