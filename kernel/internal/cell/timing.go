package cell

import (
	"strconv"
	"strings"
)

// A Timing says whether the run time of a statement is measured.
type Timing uint8

// The ways in which %time and %timeit run a statement.
const (
	Untimed  Timing = iota
	Timed           // the statement runs once
	Repeated        // the statement runs in a loop, in a separate scope
)

// A measured describes a %time or %timeit line: the options, and the offsets in the
// cell's text at which the Go code begins.
type measured struct {
	timing      Timing
	code        int // offset of the Go code
	body        int // offset of the measured code; after code if some code runs once before
	loops, runs int
	bench       bool // package testing repeats it, for %%bench
}

const (
	// BenchName is the directive that measures the rest of the cell, or its Benchmark functions.
	BenchName       = "%%bench"
	timeName        = "%time"
	wholeTimeName   = "%%time"
	timeitName      = "%timeit"
	wholeTimeitName = "%%timeit"
	wholeTraceName  = "%%trace"
	wholeProfName   = "%%prof"
)

// Measures reports whether a line is a %time or %timeit directive followed by Go code.
func Measures(line string) bool {
	_, ok := (&splitter{src: line}).measured(0)
	return ok
}

// measured parses the directive at pos. ok is false if it is not a %time or %timeit directive followed by Go code.
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
	case BenchName:
		m.timing, m.bench = Repeated, true
		m.code, m.body = end, min(end+1, len(s.src))
		return m, hasStatements(s.src[m.body:])
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

// hasStatements reports whether the text below %%bench is to be measured: it has code, and no Benchmark functions.
func hasStatements(text string) bool {
	pieces, _ := Split(text)
	found := false
	for _, p := range pieces {
		if name, ok := strings.CutPrefix(text[p.Code:p.Stop], "func"); ok && p.Kind == Func && strings.HasPrefix(strings.TrimLeft(name, " \t"), "Benchmark") {
			return false
		}
		found = found || p.Kind != Trivia
	}
	return found
}

// timeitOptions parses the options -n LOOPS and -r RUNS, and returns the offset after them.
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
			s.fault(Fault{Off: digits, Msg: "-" + option[1:2] + " needs a number from 1 to " + map[byte]string{'n': "2147483647", 'r': "1000"}[option[1]]})
		}
		if option[1] == 'n' {
			m.loops = int(n)
		} else {
			m.runs = int(n)
		}
		at = to
	}
}

// blanks returns the number of leading blanks, tabs and carriage returns.
func blanks(text string) int { return len(text) - len(strings.TrimLeft(text, " \t\r")) }

// timed completes the piece of a measured statement.
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

// line scans the statements from p.measured.code to the end of the line, or of the last
// statement that begins there.
func (s *splitter) line(p *Piece) {
	kind := Trivia
	for at := p.code; ; {
		p.Code = at
		s.item(p)
		switch {
		case p.Kind != Statement && p.Kind != Var:
			s.fault(Fault{Off: at, Msg: "this is not a statement, so its time cannot be measured"})
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

// inLoop notes faults for pieces that cannot be in the loop of a %%timeit cell, from an offset
// on. The repeated part begins at body.
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
			msg = "this statement runs once, before the lines below: it must end on this line"
		case p.Kind == Directive || p.timing != Untimed:
			msg = "a directive cannot be in a loop: move it to another cell"
		case p.Kind == Import || p.Kind == Func || p.Kind == Package:
			msg = "this declaration cannot be in a loop: move it to an earlier cell"
		}
		if msg != "" {
			s.fault(Fault{Off: from + p.Code, Msg: msg})
		}
	}
}

// A timedText is the range of a measured statement in the composed text.
type timedText struct {
	from, to int
	body     int // start of the repeated part
	measured
	last *Stmt // the last statement in it so far
}

// putTimed adds a measured statement to the composed text, with blanks in place of the directive. A repeated
// statement becomes a block, whose brace takes the place of the first blank.
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

// repeatedAt returns the repeated statement whose block is at an offset of the composed text, or nil.
func (p *parse) repeatedAt(off int) *timedText {
	for i, t := range p.timed {
		if off == t.from && t.timing == Repeated {
			return &p.timed[i]
		}
	}
	return nil
}

// take records whether a statement is the first, or so far the last, of those that %time
// measures.
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
