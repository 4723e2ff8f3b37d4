package cell

import (
	"strconv"
	"strings"
)

// A Timing says whether a statement's time is taken.
type Timing uint8

// The ways in which %time and %timeit run a statement.
const (
	Untimed  Timing = iota
	Timed           // it runs once
	Repeated        // it runs in a loop, in a scope of its own
)

// A measured is the line that has a statement measured: how, and where in the
// cell's text its Go begins.
type measured struct {
	timing      Timing
	code        int // of what is measured, or of what is done once before it
	body        int // of what is measured
	loops, runs int
}

const (
	timeName        = "%time"
	wholeTimeName   = "%%time"
	timeitName      = "%timeit"
	wholeTimeitName = "%%timeit"
)

// Measures reports whether a line is a directive with Go behind it.
func Measures(line string) bool {
	_, ok := (&splitter{src: line}).measured(0)
	return ok
}

// measured reads the directive at pos if it has Go behind it that it measures.
func (s *splitter) measured(pos int) (m measured, ok bool) {
	at := pos + len(s.src[pos:]) - len(strings.TrimPrefix(s.src[pos:], gonbPrefix))
	rest := s.src[at:]
	name := rest[:len(rest)-len(strings.TrimLeft(rest, "%abcdefghijklmnopqrstuvwxyz"))]
	at += len(name)
	end := at + lineLen(s.src[at:])
	if at < end && blanks(s.src[at:at+1]) == 0 {
		return m, false
	}
	switch name {
	case timeName:
		m.timing = Timed
	case timeitName, wholeTimeitName:
		m.timing = Repeated
		at = s.timeitOptions(at, end, &m)
	default:
		return m, false
	}
	m.code = at + blanks(s.src[at:end])
	m.body = m.code
	if next := min(end+1, len(s.src)); name == wholeTimeitName && strings.TrimSpace(s.src[next:]) != "" {
		m.body = next
		return m, true
	}
	return m, m.code < end
}

// timeitOptions reads -n LOOPS and -r RUNS, and returns where they end.
func (s *splitter) timeitOptions(at, end int, m *measured) int {
	for {
		from := at + blanks(s.src[at:end])
		option := s.src[from:end]
		if from == at || len(option) < 2 || option[0] != '-' || option[1] != 'n' && option[1] != 'r' {
			return at
		}
		digits := from + 2 + blanks(option[2:])
		to := digits
		for to < end && s.src[to] >= '0' && s.src[to] <= '9' {
			to++
		}
		if to == digits {
			return at
		}
		n, err := strconv.ParseInt(s.src[digits:to], 10, 32)
		if err != nil || n == 0 || option[1] == 'r' && n > 1000 {
			s.fault(Fault{Off: digits, Msg: "-" + option[1:2] + " wants a number from 1 to " + map[byte]string{'n': "2147483647", 'r': "1000"}[option[1]]})
		}
		if option[1] == 'n' {
			m.loops = int(n)
		} else {
			m.runs = int(n)
		}
		at = to
	}
}

// blanks counts the blanks that text begins with.
func blanks(text string) int { return len(text) - len(strings.TrimLeft(text, " \t\r")) }

// timed completes the piece of a statement that is measured.
func (s *splitter) timed(p *Piece, m measured) {
	directive := p.Code
	p.measured = m
	if m.body > m.code { // the rest of the cell
		p.Kind, p.Stop, p.End = Statement, len(s.src), len(s.src)
		s.inLoop(m.code, m.body)
		return
	}
	s.line(p)
	p.Code = directive
}

// line scans the statements from p.measured.code to the end of the line, or of
// what is begun there.
func (s *splitter) line(p *Piece) {
	kind := Trivia
	for at := p.code; ; {
		p.Code = at
		s.item(p)
		switch {
		case p.Kind != Statement && p.Kind != Var:
			s.fault(Fault{Off: at, Msg: "this is no statement, so there is no time to take"})
		case kind == Trivia && p.timing == Timed:
			kind = p.Kind
		default:
			kind = Statement
		}
		if at = p.End; at == len(s.src) || s.src[at-1] != ';' {
			break
		}
	}
	p.Kind = kind
}

// inLoop finds what cannot be in the loop that a cell becomes, from an offset
// on. What is repeated begins at body.
func (s *splitter) inLoop(from, body int) {
	pieces, faults := Split(s.src[from:])
	for _, f := range faults {
		f.Off += from
		s.fault(f)
	}
	for _, p := range pieces {
		msg := ""
		switch {
		case from+p.Code < body && from+p.Stop > body:
			msg = "this is done once, before the lines below: end it in its line"
		case p.Kind == Directive || p.timing != Untimed:
			msg = "a line that is no Go cannot be in a loop: write it into another cell"
		case p.Kind == Import || p.Kind == Func || p.Kind == Package:
			msg = "this declaration cannot be in a loop: write it into a cell before this one"
		}
		if msg != "" {
			s.fault(Fault{Off: from + p.Code, Msg: msg})
		}
	}
}

// timedText is the composed text of a statement that is measured.
type timedText struct {
	from, to int
	body     int // of a loop
	measured
	last *Stmt // in it, so far
}

// putTimed blanks out the directive. A statement to repeat becomes a block, for
// which there is room where the directive was.
func (p *parse) putTimed(pc Piece) {
	t := timedText{measured: pc.measured}
	p.marks = append(p.marks, mark{p.text.Len(), pc.Start, pc.End - pc.Start})
	p.text.WriteString(p.cell.Src[pc.Start:pc.Code])
	t.from = p.text.Len()
	prefix := strings.Repeat(" ", pc.code-pc.Code)
	if pc.timing == Repeated {
		prefix = "{" + prefix[1:]
	}
	p.text.WriteString(prefix)
	t.body = p.text.Len() + pc.body - pc.code
	p.text.WriteString(p.cell.Src[pc.code:pc.End] + "\n")
	if pc.timing == Repeated {
		p.text.WriteString("}\n")
	}
	t.to = p.text.Len()
	p.timed = append(p.timed, t)
}

// repeatedAt returns the loop whose block is at an offset of the composed text.
func (p *parse) repeatedAt(off int) *timedText {
	for i, t := range p.timed {
		if off == t.from && t.timing == Repeated {
			return &p.timed[i]
		}
	}
	return nil
}

// take notes that a statement is the first or, so far, the last one of what
// %time measures.
func (p *parse) take(s *Stmt, at int) {
	for i := range p.timed {
		t := &p.timed[i]
		if t.timing != Timed || at < t.from || at >= t.to {
			continue
		}
		s.Starts = t.last == nil
		if t.last != nil {
			t.last.Stops = false
		}
		s.Stops, t.last = true, s
	}
}
