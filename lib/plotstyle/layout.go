package plotstyle

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A layout divides the canvas into, from top to bottom: title, panels (label of the
// vertical axis, data with its axes), label of the horizontal axis, legend, caption.
// The legend is at the right if its entries need more than two rows and fit there.
type layout struct {
	plot  *Plot
	scale float64 // of text
	size  vg.Point
}

func (l layout) margin() vg.Length { return min(12, l.size.X/24, l.size.Y/16) }

func (l layout) draw(c draw.Canvas) {
	label, body, lines := l.divide(c)
	data := l.drawPanels(body)
	at := body
	at.Max.Y = body.Min.Y
	for _, line := range lines {
		// Centered below the data, but not beyond the edges.
		width := label.Width(line)
		left := min(max((data.Min.X+data.Max.X-width)/2, body.Min.X), body.Max.X-width)
		at.Max.Y -= lineHeight(label)
		at.FillText(label, vg.Point{X: left, Y: at.Max.Y + label.Font.Size*0.25}, line)
	}
}

// divide draws title, caption and legend. It returns the canvas for the panels, and
// the style and lines of the horizontal axis's label, which the caller draws below
// the panels.
func (l layout) divide(c draw.Canvas) (label text.Style, body draw.Canvas, lines []string) {
	c = l.drawTitle(c)
	c = l.drawCaption(c)
	body, legend := l.splitLegend(c)
	legend()
	label = Text(labelSize*l.scale, Quiet)
	width := body.Size().X
	lines = clampLines(label, Wrap(label, l.plot.last().X.Label.Text, width), l.most(label, 0.1), width)
	body.Min.Y += lineHeight(label) * vg.Length(len(lines))
	return label, body, lines
}

// drawPanels draws all plots and returns the data area of the last one.
func (l layout) drawPanels(c draw.Canvas) draw.Canvas {
	panels := make([]panel, len(l.plot.of))
	sum := 0.0
	for _, share := range l.plot.shares {
		sum += share
	}
	const gap = 6
	height := c.Size().Y - gap*vg.Length(len(panels)-1)
	var left, right vg.Length
	for i, p := range l.plot.of {
		at := c
		at.Min.Y = at.Max.Y - height*vg.Length(l.plot.shares[i]/sum)
		c.Max.Y = at.Min.Y - gap
		panels[i] = l.newPanel(p, l.drawYLabel(at, p), i == len(panels)-1)
		data := panels[i].data()
		left, right = max(left, data.Min.X-at.Min.X), max(right, at.Max.X-data.Max.X)
	}
	var data draw.Canvas
	for _, p := range panels {
		data = p.data()
		p.at = draw.Crop(p.at, c.Min.X+left-data.Min.X, c.Max.X-right-data.Max.X, 0, 0)
		data = p.data()
		l.drawGrid(p.plot, data)
		p.plot.Draw(p.at)
	}
	return data
}

// A panel is one plot with its axes.
type panel struct {
	plot *plot.Plot // draws only data and axes
	at   draw.Canvas
}

func (p panel) data() draw.Canvas { return p.plot.DataCanvas(p.at) }

// most returns the number of lines that fit into a part of the picture's height, at
// least 1.
func (l layout) most(style text.Style, part float64) int {
	return max(1, int(float64(l.size.Y)*part/float64(lineHeight(style))))
}

func (l layout) drawTitle(c draw.Canvas) draw.Canvas {
	return l.drawAbove(c, Bold(titleSize*l.scale, Ink), l.plot.first().Title.Text, 0.15)
}

func (l layout) drawYLabel(c draw.Canvas, p *plot.Plot) draw.Canvas {
	return l.drawAbove(c, Text(labelSize*l.scale, Quiet), p.Y.Label.Text, 0.1)
}

// drawAbove writes a text at the upper edge of c, in at most the given part of the
// picture's height, and returns the rest of c.
func (l layout) drawAbove(c draw.Canvas, style text.Style, s string, part float64) draw.Canvas {
	width := c.Size().X
	lines := clampLines(style, Wrap(style, s, width), l.most(style, part), width)
	c = drawTop(c, style, lines)
	if len(lines) > 0 {
		c.Max.Y -= style.Font.Size * 0.4
	}
	return c
}

// drawCaption writes the notes at the lower edge of c, in at most 30 % of the
// picture's height, and returns the rest of c. It omits notes that do not fit.
func (l layout) drawCaption(c draw.Canvas) draw.Canvas {
	type line struct {
		text  string
		style text.Style
	}
	var lines []line
	width := c.Size().X
	for _, note := range l.plot.Caption {
		style := Text(captionSize*l.scale, Quiet)
		if note.Color != nil {
			style.Color = note.Color
		}
		for _, s := range clampLines(style, Wrap(style, note.Text, width), l.most(style, 0.3)-len(lines), width) {
			lines = append(lines, line{s, style})
		}
	}
	for i := range lines {
		s := lines[len(lines)-1-i]
		c.FillText(s.style, vg.Point{X: c.Min.X, Y: c.Min.Y + s.style.Font.Size*0.3}, s.text)
		c.Min.Y += lineHeight(s.style)
	}
	if len(lines) > 0 {
		c.Min.Y += 6
	}
	return c
}

// splitLegend returns the canvas without the legend's area, and a function that draws
// the legend.
func (l layout) splitLegend(c draw.Canvas) (draw.Canvas, func()) {
	const gap = 8
	entries := newLegend(l.plot.first().Legend, Text(legendSize*l.scale, Ink))
	if len(entries.widths) == 0 {
		return c, func() {}
	}
	size := c.Size()
	rows := entries.rows(size.X)
	column := entries.column()
	fits := float64(column) < 0.35*float64(size.X) && entries.rowHeight()*vg.Length(len(entries.widths)) <= size.Y
	if len(rows) > 2 && fits {
		at := c
		at.Min.X = c.Max.X - column
		c.Max.X = at.Min.X - 2*gap
		return c, func() { entries.draw(at, entries.rows(0)) }
	}
	height := entries.rowHeight() * vg.Length(min(len(rows), max(1, int(0.28*float64(l.size.Y)/float64(entries.rowHeight())))))
	at := c
	at.Max.Y = c.Min.Y + height - rowGap/2
	at.Min.Y -= rowGap/2 + 0.01
	c.Min.Y += height + gap
	return c, func() { entries.draw(at, rows) }
}

// newPanel returns the panel of p at c, with tick labels that fit. last reports
// whether it is the lowest panel, the only one with labels of the horizontal axis.
func (l layout) newPanel(p *plot.Plot, c draw.Canvas, last bool) panel {
	q := l.styled(p)
	if isNominal(&q.Y) {
		l.fitNamesY(&q.Y, q.DataCanvas(c))
	}
	if isNominal(&q.X) {
		l.fitNamesX(&q.X, q.DataCanvas(c))
	}
	data := q.DataCanvas(c)
	if !isNominal(&q.X) {
		l.fitTicks(&q.X, data.Size().X/55, func(t plot.Tick) (at, half vg.Length) {
			return data.X(q.X.Norm(t.Value)), (q.X.Tick.Label.Rectangle(t.Label).Size().X + 6) / 2
		})
	}
	if !isNominal(&q.Y) {
		l.fitTicks(&q.Y, data.Size().Y/24, func(t plot.Tick) (at, half vg.Length) {
			return data.Y(q.Y.Norm(t.Value)), q.Y.Tick.Label.Rectangle(t.Label).Size().Y * 0.55
		})
	}
	for range 3 { // the overlap depends a little on the width of the data
		over := l.overlap(q, c)
		if over <= 0 {
			break
		}
		c.Min.X += over
	}
	if !last {
		q.X.Tick.Marker = withoutLabels(q.X.Tick.Marker.Ticks(q.X.Min, q.X.Max))
	}
	return panel{plot: q, at: c}
}

// withoutLabels returns the ticks without their labels.
func withoutLabels(ticks []plot.Tick) plot.ConstantTicks {
	bare := append(plot.ConstantTicks{}, ticks...)
	for i := range bare {
		bare[i].Label = ""
	}
	return bare
}

// styled returns a copy of a plot, in this package's style, that draws only axes and
// data.
func (l layout) styled(p *plot.Plot) *plot.Plot {
	q := *p
	q.Title.Text, q.X.Label.Text, q.Y.Label.Text = "", "", ""
	q.Legend = plot.NewLegend()
	q.BackgroundColor = nil
	for _, axis := range []*plot.Axis{&q.X, &q.Y} {
		axis.Min, axis.Max = sane(axis.Min, axis.Max)
		axis.Tick.Label = restyle(axis.Tick.Label, tickSize*l.scale, Quiet)
		axis.Label.TextStyle = restyle(axis.Label.TextStyle, tickSize*l.scale, Quiet)
		axis.LineStyle = axisLine(axis.LineStyle)
		axis.Tick.LineStyle = axisLine(axis.Tick.LineStyle)
		axis.Tick.Length = min(axis.Tick.Length, 3.5)
		axis.Tick.Marker = ownTicks(axis.Tick.Marker, axis.Scale)
	}
	return &q
}

// sane corrects the range of an axis in the same way as gonum when it draws: infinite
// ends become 0, reversed ends are swapped, and an empty range is widened.
func sane(low, high float64) (float64, float64) {
	if math.IsInf(low, 0) {
		low = 0
	}
	if math.IsInf(high, 0) {
		high = 0
	}
	if low > high {
		low, high = high, low
	}
	if low == high {
		low, high = low-1, high+1
	}
	return low, high
}

// axisLine returns the style of an axis's line. A hidden line, of width 0, stays hidden.
func axisLine(s draw.LineStyle) draw.LineStyle {
	s.Color, s.Width = Line, min(s.Width, 0.8)
	return s
}

// ownTicks replaces gonum's default tickers, whose labels have no units and too many
// digits. It keeps other tickers.
func ownTicks(t plot.Ticker, scale plot.Normalizer) plot.Ticker {
	_, logarithmic := scale.(plot.LogScale)
	switch t.(type) {
	case plot.LogTicks, plot.DefaultTicks, nil:
		if logarithmic {
			return LogTicks{}
		}
		return Ticks{}
	}
	return t
}

// fitTicks removes tick labels that would touch. most is the number of labels for
// which there is space. place returns the position of a label on the axis, and half
// of its extent in that direction.
func (l layout) fitTicks(axis *plot.Axis, most vg.Length, place func(plot.Tick) (at, half vg.Length)) {
	if t, ok := axis.Tick.Marker.(Ticks); ok && t.most == 0 {
		t.most = min(max(int(most), 3), 9)
		axis.Tick.Marker = t
	}
	ticks := append([]plot.Tick(nil), axis.Tick.Marker.Ticks(axis.Min, axis.Max)...)
	ticks = within(ticks, axis.Min, axis.Max)
	_, irregular := axis.Tick.Marker.(CountTicks)
	ats, halves := make([]vg.Length, len(ticks)), make([]vg.Length, len(ticks))
	for i, t := range ticks {
		if !t.IsMinor() {
			ats[i], halves[i] = place(t)
		}
	}
	for stride := 1; ; stride++ {
		kept := thin(ticks, stride, irregular, ats, halves)
		if kept != nil {
			axis.Tick.Marker = plot.ConstantTicks(kept)
			return
		}
	}
}

// within returns the ticks between low and high. Gonum does not draw the others, but
// reserves space for them.
func within(ticks []plot.Tick, low, high float64) []plot.Tick {
	var in []plot.Tick
	for _, t := range ticks {
		if t.Value >= low && t.Value <= high {
			in = append(in, t)
		}
	}
	return in
}

// thin keeps every stride-th label. If two of the kept labels touch, it returns nil,
// or, if irregular is true, removes the second one.
func thin(ticks []plot.Tick, stride int, irregular bool, ats, halves []vg.Length) []plot.Tick {
	kept := append([]plot.Tick(nil), ticks...)
	if kept == nil {
		kept = []plot.Tick{}
	}
	var lastAt, lastHalf vg.Length
	n, first := 0, true
	for i := range kept {
		if kept[i].IsMinor() {
			continue
		}
		at, half := ats[i], halves[i]
		touches := !first && vg.Length(math.Abs(float64(at-lastAt))) < half+lastHalf
		if n++; (n-1)%stride != 0 || touches && irregular {
			kept[i].Label = ""
			continue
		}
		if touches {
			return nil
		}
		lastAt, lastHalf, first = at, half, false
	}
	return kept
}

// overlap returns how far the labels of the horizontal axis extend beyond the left
// edge of c.
func (l layout) overlap(q *plot.Plot, c draw.Canvas) vg.Length {
	data := q.DataCanvas(c)
	over := vg.Length(0)
	for _, t := range q.X.Tick.Marker.Ticks(q.X.Min, q.X.Max) {
		if !t.IsMinor() {
			box := q.X.Tick.Label.Rectangle(t.Label)
			over = max(over, c.Min.X-(data.X(q.X.Norm(t.Value))+box.Min.X))
		}
	}
	return over
}

// drawGrid draws lines across the data at the ticks of the vertical axis, or of
// the horizontal one if the vertical one has names instead of numbers.
func (l layout) drawGrid(q *plot.Plot, c draw.Canvas) {
	style := draw.LineStyle{Color: Grid, Width: 0.7}
	if !isNominal(&q.Y) {
		for _, t := range q.Y.Tick.Marker.Ticks(q.Y.Min, q.Y.Max) {
			if y := c.Y(q.Y.Norm(t.Value)); !t.IsMinor() {
				c.StrokeLine2(style, c.Min.X, y, c.Max.X, y)
			}
		}
		return
	}
	for _, t := range q.X.Tick.Marker.Ticks(q.X.Min, q.X.Max) {
		if x := c.X(q.X.Norm(t.Value)); !t.IsMinor() {
			c.StrokeLine2(style, x, c.Min.Y, x, c.Max.Y)
		}
	}
}
