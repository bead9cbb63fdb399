package ports

import "go.bug.st/serial/enumerator"

func system() ([]Port, error) {
	list, err := enumerator.GetDetailedPortsList()
	var all []Port
	for _, d := range list {
		all = append(all, Port{Name: d.Name, VID: d.VID, PID: d.PID, Serial: d.SerialNumber, Product: d.Product})
	}
	return all, err
}
