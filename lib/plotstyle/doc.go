// Package plotstyle gives plots of gonum.org/v1/plot a consistent style: a sans-serif
// font, enough space for titles and labels, a legend outside of the data, units on
// the ticks, and colors that color-blind readers can distinguish.
//
//	p := plot.New()
//	p.Title.Text = "What a message costs"
//	p.X.Label.Text, p.Y.Label.Text = "size of a message", "time per message"
//	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plotstyle.LogTicks{Unit: plotstyle.Bytes}
//	p.Y.Tick.Marker = plotstyle.Ticks{Unit: plotstyle.Seconds}
//	plotstyle.Add(p, &plotstyle.Series{Name: "goroutines", XYs: points})
//	plotstyle.New(p) // the last expression of a cell
//
// [New] takes any plot; the other functions are conveniences. [Workers] sets up a
// horizontal axis of worker counts.
package plotstyle
