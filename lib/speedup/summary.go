package speedup

import (
	"fmt"
	"math"
	"strings"
)

// Summary returns the result as sentences in Markdown: the speedup of each case with
// the largest number of workers that does not exceed the cores, whether the cases
// differ by more than the uncertainty, the speedup with more workers than cores, and a
// warning if the measurement was disturbed.
func (r *Result) Summary() string {
	at := r.largestWithin()
	var b strings.Builder
	fmt.Fprintf(&b, "With %s on %s, ", countText(float64(r.Workers[at]), "worker"), countText(r.Cores, "core"))
	b.WriteString(r.gains(at) + ".")
	if text := r.comparison(at); text != "" {
		b.WriteString(" " + text)
	}
	if most := r.largest(); float64(r.Workers[most]) > r.Cores && most != at {
		fmt.Fprintf(&b, " With %s, more than there are cores: %s.", countText(float64(r.Workers[most]), "worker"), r.gains(most))
	}
	if n := r.Disturbed(); n > 0 {
		fmt.Fprintf(&b, "\n\n> **Disturbed:** during %d of %s other programs kept the cores busy, or the baseline changed. "+
			"Close them and measure again before you rely on these numbers.", n, countText(float64(len(r.Rounds)), "round"))
	}
	return b.String()
}

// gains returns the text with the speedup of each case with Workers[at].
func (r *Result) gains(at int) string {
	var parts []string
	for _, s := range r.Series {
		e := s.Points[at].Speedup
		text := fmt.Sprintf("**%s** gained **%.2f ×**", caseName(s), e.Median)
		if !math.IsNaN(e.Low) {
			text += fmt.Sprintf(" [%.2f, %.2f]", e.Low, e.High)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// comparison returns a sentence on whether the two cases with the largest speedups
// with Workers[at] differ by more than the uncertainty.
func (r *Result) comparison(at int) string {
	if len(r.Series) < 2 || len(r.Rounds) < minInterval {
		return ""
	}
	first, second := -1, -1
	for i, s := range r.Series {
		switch v := s.Points[at].Speedup.Median; {
		case first < 0 || v > r.Series[first].Points[at].Speedup.Median:
			first, second = i, first
		case second < 0 || v > r.Series[second].Points[at].Speedup.Median:
			second = i
		}
	}
	a, b := r.Series[first], r.Series[second]
	if a.Points[at].Speedup.Low > b.Points[at].Speedup.High {
		return fmt.Sprintf("The difference between %s and %s is larger than the uncertainty.", caseName(a), caseName(b))
	}
	return fmt.Sprintf("The intervals of %s and %s overlap, so this measurement does not show which is faster.", caseName(a), caseName(b))
}

// largestWithin returns the index of the largest worker count that does not exceed the
// cores, or of the smallest count if all do.
func (r *Result) largestWithin() int {
	best := -1
	smallest := 0
	for i, n := range r.Workers {
		if n < r.Workers[smallest] {
			smallest = i
		}
		if float64(n) <= r.Cores && (best < 0 || n > r.Workers[best]) {
			best = i
		}
	}
	if best < 0 {
		return smallest
	}
	return best
}

func (r *Result) largest() int {
	most := 0
	for i, n := range r.Workers {
		if n > r.Workers[most] {
			most = i
		}
	}
	return most
}
