package meter

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Write prints the report as a table for a person.
func (r Report) Write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Over the air in %s, bytes up / down:\n", span(r.Duration))
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "  to\tconnections\ttotal\tpayload\tkeep-alive\tTLS handshake\tTLS records\theaders")
	for _, d := range r.Destinations {
		count := fmt.Sprint(d.Connections)
		if d.Failures > 0 {
			count += fmt.Sprintf(" (%d failed)", d.Failures)
		}
		row(t, fmt.Sprintf("%s:%d %s", d.Host, d.Port, d.Proto), count, d.Counts)
	}
	row(t, "total", "", r.Total)
	t.Flush()
	if len(r.Destinations) == 0 {
		b.WriteString("  nothing was sent\n")
	}
	all := r.Total.Total()
	if r.Duration > 0 {
		fmt.Fprintf(&b, "A month at this rate: %s up, %s down, %s in all.\n",
			size(r.AMonth(float64(all.Up))), size(r.AMonth(float64(all.Down))), size(r.AMonth(float64(all.Total()))))
	}
	b.WriteString("Charge by state of the radio:\n")
	t = tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, s := range r.Radio {
		fmt.Fprintf(t, "  %s\t%s\t%g mA\t%.3f mAh\t(%s)\n", s.Radio, span(s.Time), s.Current, s.Charge, s.Source)
	}
	t.Flush()
	fmt.Fprintf(&b, "  %.3f mAh in all; %.0f mAh a month at this rate.\n", r.Charge(), r.AMonth(r.Charge()))
	_, err := io.WriteString(w, b.String())
	return err
}

func row(w io.Writer, name, count string, c Counts) {
	fmt.Fprintf(w, "  %s\t%s", name, count)
	for _, b := range [...]Bytes{c.Total(), c.Payload, c.KeepAlive, c.Handshake, c.Records, c.Headers} {
		fmt.Fprintf(w, "\t%d / %d", b.Up, b.Down)
	}
	fmt.Fprintln(w)
}

// span writes a duration as one would say it.
func span(d time.Duration) string {
	switch {
	case d >= time.Hour:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(100 * time.Microsecond).String()
}

// size writes a number of bytes as carriers do, in powers of ten.
func size(n float64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.2f GB", n/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.2f MB", n/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f kB", n/1e3)
	}
	return fmt.Sprintf("%.0f B", n)
}
