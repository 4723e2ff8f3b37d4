// Package plotstyle gives plots of gonum.org/v1/plot one look: a sans-serif
// font, titles and labels that have room, a legend outside of the data, units on
// the ticks, and colours that the colour-blind can tell apart.
//
//	p := plot.New()
//	p.Title.Text = "What a message costs"
//	p.X.Label.Text, p.Y.Label.Text = "size of a message", "time per message"
//	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plotstyle.LogTicks{Unit: plotstyle.Bytes}
//	p.Y.Tick.Marker = plotstyle.Ticks{Unit: plotstyle.Seconds}
//	plotstyle.Add(p, &plotstyle.Series{Name: "goroutines", XYs: points})
//	plotstyle.New(p) // the last expression of a cell
//
// [New] takes any plot; the other functions save typing. [Workers] makes the
// horizontal axis one of worker counts.
package plotstyle
