package display

import (
	"fmt"
	"html"
	"strings"
)

// A Bar shows how much of some work is done. Shown with a [Handle] it grows in
// place:
//
//	var h display.Handle
//	for y, err := range mp.StreamUnordered[int](ctx, pool, f, xs) {
//		done++
//		h.Show(display.Bar{Done: done, Total: n})
//	}
type Bar struct {
	Done, Total int    // in whatever is counted
	Note        string // shown behind the numbers
}

const barWidth = 30 // characters of the text form

// share is how much is done, from 0 to 1.
func (b Bar) share() float64 {
	if b.Total <= 0 {
		return 0
	}
	return min(max(float64(b.Done)/float64(b.Total), 0), 1)
}

func (b Bar) numbers() string {
	return strings.TrimSpace(fmt.Sprintf("%d of %d  %s", b.Done, b.Total, b.Note))
}

// String draws the bar with characters.
func (b Bar) String() string {
	full := int(b.share()*barWidth + 0.5)
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", barWidth-full) + "] " + b.numbers()
}

// HTML draws the bar as a browser does.
func (b Bar) HTML() string {
	return fmt.Sprintf(`<progress value="%.3f" max="1" style="width:20em;vertical-align:middle"></progress> %s`,
		b.share(), html.EscapeString(b.numbers()))
}
