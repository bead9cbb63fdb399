package main

import (
	"strings"
	"testing"
)

// TestATCommand: what may be written for an AT command, and what is typed for it.
func TestATCommand(t *testing.T) {
	for arg, want := range map[string]string{
		"VR": "VR", "vr": "VR", "ATVR": "VR", "atni=pump 3": "NIpump 3", "NI=pump": "NIpump", "NIpump": "NIpump", "GT=0x3E8": "GT3e8", "AP4": "AP4",
		"BD=115200": "BD7", "BD=7": "BD7", "BD=0x1C200": "BD1c200", "NI=a=b": "NIa=b", "PY^": "PY^", "%V": "%V", "P#=+1555": "P#+1555", "DL=0.0.0.0": "DL0.0.0.0",
	} {
		if got, err := command(arg); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", arg, got, err, want)
		}
	}
	for arg, want := range map[string]string{
		"": "two characters", "V": "two characters", "NI=": "an empty value", "NI=a,b": "a comma", "CN": "leave it away", "FS LS": "use skep fs", "ABC=1": "two characters",
	} {
		if got, err := command(arg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %q, %v; want %q", arg, got, err, want)
		}
	}
}
