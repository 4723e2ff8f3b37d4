package display

import (
	"fmt"
	"html"
	"strings"
)

// A Progress is one state of a progress bar: how much of some work is done. A [Bar]
// shows a new Progress as the work proceeds, with its rate and remaining time. A
// [Handle] replaces one Progress by the next in place:
//
//	var h display.Handle
//	for y, err := range mp.StreamUnordered[int](ctx, pool, f, xs) {
//		done++
//		h.Show(display.Progress{Done: done, Total: n})
//	}
type Progress struct {
	Done, Total int    // amounts of work in any unit; a negative Total means that the total is not known
	Note        string // text after the numbers
}

const barWidth = 30 // characters of the text form

// fraction returns how much is done, from 0 to 1.
func (p Progress) fraction() float64 {
	if p.Total <= 0 {
		return 0
	}
	return min(max(float64(p.Done)/float64(p.Total), 0), 1)
}

func (p Progress) counts() string {
	if p.Total < 0 {
		return strings.TrimSpace(fmt.Sprintf("%d  %s", p.Done, p.Note))
	}
	return strings.TrimSpace(fmt.Sprintf("%d of %d  %s", p.Done, p.Total, p.Note))
}

// String draws the bar with characters.
func (p Progress) String() string {
	if p.Total < 0 {
		return p.counts()
	}
	full := int(p.fraction()*barWidth + 0.5)
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", barWidth-full) + "] " + p.counts()
}

// HTML returns the bar as an HTML progress element.
func (p Progress) HTML() string {
	if p.Total < 0 {
		return `<progress style="width:20em;vertical-align:middle"></progress> ` + html.EscapeString(p.counts())
	}
	return fmt.Sprintf(`<progress value="%.3f" max="1" style="width:20em;vertical-align:middle"></progress> %s`,
		p.fraction(), html.EscapeString(p.counts()))
}
