package program

// change begins a change of the state and returns the function that ends it. A
// Build that is under way ends first; queries do not wait for either.
func (p *Program) change() (end func()) {
	p.building.Lock()
	p.mu.Lock()
	if p.shared {
		p.table, p.shared = p.table.Clone(), false
	}
	return func() {
		p.mu.Unlock()
		p.building.Unlock()
	}
}

// snapshot returns the program as it was last committed, for a query: it does
// not change, and asking it does not wait for a Build. What is not known of a
// package yet it leaves out rather than wait long.
func (p *Program) snapshot() *Program {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shared = true
	return &Program{cfg: p.cfg, pkgs: p.pkgs.ForQuery(), table: p.table, isSnapshot: true}
}
