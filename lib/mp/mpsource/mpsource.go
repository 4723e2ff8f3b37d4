// Package mpsource holds hashes of a program's source, by which two programs recognize
// functions that are the same in both. A notebook's kernel computes the hashes, and perijove
// build writes them into a worker program. Other programs have no hashes.
package mpsource

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A Program describes the source of a program's main package.
type Program struct {
	Go           string        `json:"go"`      // Go release, such as "go1.26.8"
	Library      string        `json:"library"` // hash of this project's library, which encodes arguments and results
	Layout       string        `json:"layout"`  // result of the function Layout
	Declarations []Declaration `json:"declarations"`
}

// Layout describes the memory layout of values in this process, since values without
// pointers are sent as their memory: "64 bits, little endian".
func Layout() string {
	order := "big"
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		order = "little"
	}
	return fmt.Sprintf("%d bits, %s endian", strconv.IntSize, order)
}

// A Declaration is a function, method, type, variable or constant of the main package, or a
// package that it imports.
type Declaration struct {
	Name string `json:"name"`           // name such as "price", "Order.Total" or "package example.com/units"
	Kind string `json:"kind,omitempty"` // word for messages, such as "function"
	// Symbol is the function's link symbol, if it is not "main." followed by the name.
	Symbol string `json:"symbol,omitempty"`
	// Offered says that other programs may call the function.
	Offered bool     `json:"offered,omitempty"`
	Hash    string   `json:"hash"`              // hash of the syntax without comments and layout, or of a package's modules; empty if Unknown is set
	Unknown string   `json:"unknown,omitempty"` // why the declaration has no hash, such as "has no fixed value"
	Uses    []string `json:"uses,omitempty"`    // names of the declarations that this one mentions, and of a type's methods
}

// A Hash identifies a function with all declarations that it reaches. The zero Hash
// identifies no function.
type Hash [sha256.Size]byte

// String returns the first four bytes of the hash in hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:4]) }

// A Function is a function with the declarations that it reaches.
type Function struct {
	Name    string
	Hash    Hash
	program *Table
	reached []*Declaration // in the order of their distance from the function, which is the first
	from    map[string]string
}

// A Table finds the functions of a Program. Its methods may be called concurrently.
type Table struct {
	Program
	byName   map[string]*Declaration
	bySymbol map[string]*Declaration

	mu    sync.Mutex
	known map[string]*Function // by name
}

// NewTable returns the Table of a Program.
func NewTable(p Program) *Table {
	t := &Table{Program: p, byName: map[string]*Declaration{}, bySymbol: map[string]*Declaration{}, known: map[string]*Function{}}
	for i := range p.Declarations {
		d := &p.Declarations[i]
		t.byName[d.Name] = d
		symbol := d.Symbol
		if symbol == "" {
			symbol = "main." + d.Name
		}
		t.bySymbol[symbol] = d
	}
	return t
}

// Decode returns the Table that was encoded as JSON.
func Decode(b []byte) (*Table, error) {
	var p Program
	if err := json.Unmarshal(b, &p); err != nil {
		return nil, fmt.Errorf("mp: cannot decode the description of a program's source: %w", err)
	}
	return NewTable(p), nil
}

// current is the Table of this process.
var current struct {
	mu    sync.Mutex
	table *Table
}

// Set sets the Table of this process. The worker process of a notebook calls it before each
// cell, and a worker program calls it when it starts.
func Set(t *Table) {
	current.mu.Lock()
	defer current.mu.Unlock()
	current.table = t
}

// Current returns the Table of this process, or nil if it has none.
func Current() *Table {
	current.mu.Lock()
	defer current.mu.Unlock()
	return current.table
}

// BySymbol returns the function with the given link symbol, or nil if there is none.
func (t *Table) BySymbol(symbol string) *Function {
	if t == nil || t.bySymbol[symbol] == nil {
		return nil
	}
	return t.Function(t.bySymbol[symbol].Name)
}

// Function returns the function with the given name, or nil if there is none.
func (t *Table) Function(name string) *Function {
	if t == nil || t.byName[name] == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.known[name]
	if f == nil {
		f = t.reach(name)
		t.known[name] = f
	}
	return f
}

// reach finds what a function reaches, and computes its hash.
func (t *Table) reach(name string) *Function {
	f := &Function{Name: name, program: t, from: map[string]string{name: ""}}
	for todo := []string{name}; len(todo) > 0; todo = todo[1:] {
		d := t.byName[todo[0]]
		if d == nil {
			d = &Declaration{Name: todo[0], Unknown: "is not a declaration of this program"}
		}
		f.reached = append(f.reached, d)
		for _, use := range d.Uses {
			if _, seen := f.from[use]; !seen {
				f.from[use] = d.Name
				todo = append(todo, use)
			}
		}
	}
	sorted := slices.SortedFunc(slices.Values(f.reached), func(a, b *Declaration) int { return strings.Compare(a.Name, b.Name) })
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "1 %q %q %q %q\n", t.Go, t.Library, t.Layout, name) // a hash returns no error
	for _, d := range sorted {
		if d.Hash == "" {
			return f
		}
		_, _ = io.WriteString(h, fmt.Sprintf("%q %q\n", d.Name, d.Hash))
	}
	h.Sum(f.Hash[:0])
	return f
}

// Offers reports whether other programs may call the function with the name and hash of f.
func (t *Table) Offers(f *Function) bool {
	same := t.Function(f.Name)
	return same != nil && f.Hash != (Hash{}) && same.Hash == f.Hash && t.byName[f.Name].Offered
}

// Difference returns the reason why the program of the Table other does not have the same
// function f, or "" if it has. The reason names the first declaration in which the two differ.
func (f *Function) Difference(other *Table) string {
	if same := other.Function(f.Name); same != nil && f.Hash != (Hash{}) && same.Hash == f.Hash {
		return ""
	}
	for _, d := range f.reached {
		o := other.byName[d.Name]
		switch {
		case d.Hash == "":
			return f.title(d) + " " + d.Unknown
		case o == nil:
			return fmt.Sprintf("it does not have %s", f.title(d))
		case o.Hash != d.Hash:
			return fmt.Sprintf("%s differs in that program", f.title(d))
		}
	}
	switch t := f.program; {
	case t.Go != other.Go:
		return fmt.Sprintf("it was built with %s, not with %s", other.Go, t.Go)
	case t.Layout != other.Layout:
		return fmt.Sprintf("its processor stores numbers in another form: %s, not %s", other.Layout, t.Layout)
	}
	return "it was built with another version of perijove"
}

// title names a declaration that f reaches, and the declaration that mentions it.
func (f *Function) title(d *Declaration) string {
	text := d.Name
	if d.Kind != "" {
		text = "the " + d.Kind + " " + text
	}
	if by := f.from[d.Name]; by != "" {
		text += ", which " + by + " uses,"
	}
	return text
}
