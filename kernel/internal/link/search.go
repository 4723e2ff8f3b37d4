package link

// search looks for words that point into what was loaded, in all goroutines but
// self and in all memory that holds pointers. It reports whether it could look
// at everything.
func (l *Linker) search(old []oldVariable, self uintptr, goroutines *Goroutines) ([]foundWord, bool) {
	m := l.mod
	s := &search{lo: m.text.base, text: m.text.base + m.text.used, hi: m.md.end, old: old, table: make([]foundWord, 2*maxFound)}
	w := l.host.stop(stwReason)
	ok := l.host.pointerBytes() <= maxSearched
	if ok {
		for g := range goroutines.each {
			if g != self {
				s.goroutine(g)
			}
		}
		first := l.host.first
		s.words(first.data, first.edata, false)
		s.words(first.bss, first.ebss, false)
		s.words(m.data.base, m.data.base+m.data.used, false)
		l.host.eachSpan(s.span)
		l.host.eachQueuedFinalizer(s.words)
	}
	l.host.start(w)
	var found []foundWord
	for _, f := range s.table {
		if f.word != 0 {
			found = append(found, f)
		}
	}
	return found, ok && !s.full
}

