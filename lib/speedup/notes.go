package speedup

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A Note is a sentence about how a result was measured.
type Note struct {
	Text    string
	Warning bool // whether the note is a reason why the result may be wrong
}

// Notes returns the facts that a table or chart of ratios does not show: the time of
// the baseline, the number of rounds and cores, the load by other programs, and
// warnings.
func (r *Result) Notes() []Note {
	notes := []Note{{Text: r.baseNote()}}
	if text := r.loadNote(); text != "" {
		notes = append(notes, Note{Text: text, Warning: r.Disturbed() > 0})
	}
	for _, text := range r.workNotes() {
		notes = append(notes, Note{Text: text, Warning: true})
	}
	return append(notes, r.timelineNotes()...)
}

// texts returns the notes below a table: those of Notes and FitNotes.
func (r *Result) texts() []string {
	var texts []string
	for _, n := range r.Notes() {
		texts = append(texts, n.Text)
	}
	return append(texts, r.FitNotes()...)
}

func (r *Result) baseNote() string {
	note := fmt.Sprintf("T1 = %s (%s); %s; ", formatSeconds(r.Serial.Median), r.SerialName, countText(r.Cores, "core"))
	if r.Work != nil {
		note += "the work grows with the workers; "
	}
	if len(r.Rounds) == 1 {
		return note + "one round, so no intervals."
	}
	return note + fmt.Sprintf("medians of %d rounds in random order, with %s.", len(r.Rounds), intervalsName(len(r.Rounds)))
}

func intervalsName(rounds int) string {
	if rounds >= minInterval {
		return "95 % intervals"
	}
	return "their range"
}

// loadNote returns the note on the load by other programs and on disturbed rounds, or
// "" if the load is not known and no round was disturbed.
func (r *Result) loadNote() string {
	var parts []string
	if f := r.Foreign(); !math.IsNaN(f) {
		parts = append(parts, fmt.Sprintf("Other programs kept %.2f of %s busy", f, countText(r.Cores, "core")))
	}
	if n := r.Disturbed(); n > 0 {
		parts = append(parts, fmt.Sprintf("%d of %s disturbed: %s", n, countText(float64(len(r.Rounds)), "round"), r.causes()))
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, "; ") + "."
}

// causes returns what disturbed rounds, with the number of rounds of each cause.
func (r *Result) causes() string {
	loaded, drifted := 0, 0
	for i := range r.Rounds {
		if r.isLoaded(&r.Rounds[i]) {
			loaded++
		}
		if r.Rounds[i].drifted() {
			drifted++
		}
	}
	var causes []string
	if loaded > 0 {
		causes = append(causes, fmt.Sprintf("%d by other programs", loaded))
	}
	if drifted > 0 {
		causes = append(causes, fmt.Sprintf("%d because the baseline changed by more than %.0f %%", drifted, 100*maxDrift))
	}
	return strings.Join(causes, ", ")
}

// maxOverhead is the ratio of one worker's time to the baseline, or its inverse, from which
// on workNotes warns that the two may do different work. A compiler that drops an unused
// result causes such ratios.
const maxOverhead = 1.5

func (r *Result) workNotes() []string {
	var notes []string
	for _, s := range r.Series {
		for _, p := range s.Points {
			if p.Workers != 1 || p.Speedup.Median < maxOverhead && p.Speedup.Median > 1/maxOverhead {
				continue
			}
			notes = append(notes, fmt.Sprintf("One worker of %s takes %.2f times as long as the baseline: do both do the same work?",
				caseName(s), 1/p.Speedup.Median))
		}
	}
	return notes
}

// FitNotes returns a sentence for each law that Fits returns: the law, and its
// parameters for each case.
func (r *Result) FitNotes() []string {
	var notes []string
	byLaw := map[Law]int{} // index of a law's note in notes
	for i, s := range r.Series {
		for _, f := range r.Fits(i) {
			at, ok := byLaw[f.Law]
			if !ok {
				at = len(notes)
				byLaw[f.Law] = at
				notes = append(notes, fmt.Sprintf("%s, %s, fitted up to %s: ", f.Law, f.Law.Formula(), countText(r.Cores, "core")))
			} else {
				notes[at] += "; "
			}
			notes[at] += caseName(s)
			for _, p := range f.Parameters {
				notes[at] += " " + p.Symbol + " = " + formatParameter(p.Value)
			}
		}
	}
	for i := range notes {
		notes[i] += "."
	}
	return notes
}

func caseName(s Series) string { return cmp.Or(s.Name, "this case") }

func countText(n float64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.FormatFloat(math.Round(n*100)/100, 'g', -1, 64) + " " + noun + "s"
}
