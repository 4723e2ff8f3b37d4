package moduledata

import (
	"reflect"
	"testing"

	"github.com/perijove/perijove/kernel/internal/goruntime"
)

func testModule(size int) *Module {
	const base = 0x10000000
	tab := func(n int) *table { return &table{name: "test", buf: make([]byte, n)} }
	return &Module{
		ModuleData: &goruntime.ModuleData{Text: 0x400000},
		Text:       &Arena{name: "code", Base: base, Size: uintptr(size)},
		ftab:       tab(1 << 20), findfunc: tab(size/goruntime.FuncBucket*goruntime.BucketSize + goruntime.BucketSize),
	}
}

// find finds the index of a function as runtime.findfunc does.
func (m *Module) find(pc uintptr) int {
	x := pc - m.Text.Base
	bucket := int(x/goruntime.FuncBucket) * goruntime.BucketSize
	i := int(m.findfunc.Uint32(bucket)) + int(m.findfunc.buf[bucket+4+int(x%goruntime.FuncBucket/goruntime.FuncSubbucket)])
	for m.ftab.Uint32((i+1)*8) <= uint32(pc-m.ModuleData.Text) {
		i++
	}
	return i
}

func TestFindFunc(t *testing.T) {
	const size = 1 << 20
	for name, next := range map[string]func(i int) (length, gap uintptr){
		"stubs":     func(int) (uintptr, uintptr) { return 16, 0 },
		"small":     func(i int) (uintptr, uintptr) { return uintptr(i%90 + 1), uintptr(i % 31) },
		"buckets":   func(int) (uintptr, uintptr) { return goruntime.FuncSubbucket, 0 },
		"big":       func(i int) (uintptr, uintptr) { return 3*goruntime.FuncBucket + uintptr(i), 32 },
		"with gaps": func(i int) (uintptr, uintptr) { return 100, uintptr(i%5) * 900 },
		"mixed": func(i int) (uintptr, uintptr) {
			if i%10 == 0 {
				return 9000, 17
			}
			return 16, 16
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := testModule(size)
			type span struct{ from, to uintptr }
			var funcs []span
			for p, i := m.Text.Base, 0; ; i++ {
				n, gap := next(i)
				if p+n+gap > m.Text.Base+size || i > 20000 {
					break
				}
				if err := m.addFunc(p, n, 0); err != nil {
					t.Fatal(err)
				}
				funcs = append(funcs, span{p, p + n})
				p += n + gap
			}
			for i, f := range funcs {
				for _, pc := range []uintptr{f.from, (f.from + f.to) / 2, f.to - 1} {
					if got := m.find(pc); got != i {
						t.Fatalf("%#x is in function %d, found %d", pc, i, got)
					}
				}
			}
		})
	}
}

func TestSnapshot(t *testing.T) {
	m := testModule(1 << 16)
	m.ReadOnly, m.Data, m.NoPtr = &Arena{}, &Arena{}, &Arena{}
	for _, tab := range []**table{&m.Names, &m.Units, &m.Files, &m.PCTables, &m.Functions} {
		*tab = &table{buf: make([]byte, 64)}
	}
	if err := m.addFunc(m.Text.Base, 100, 0); err != nil {
		t.Fatal(err)
	}
	undo := m.Snapshot()
	before, err := m.Names.Append([]byte("lost"))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.addFunc(m.Text.Base+112, 5000, 0); err != nil {
		t.Fatal(err)
	}
	undo()
	if after, err := m.Names.Append([]byte("kept")); err != nil || after != before {
		t.Errorf("a name after a failed load is at %d, want %d (%v)", after, before, err)
	}
	for i, n := range []uintptr{30, 40, 5000} {
		if err := m.addFunc(m.Text.Base+112+uintptr(i)*64, n, 0); err != nil {
			t.Fatal(err)
		}
	}
	for i, off := range []uintptr{0, 112, 176, 240} {
		if got := m.find(m.Text.Base + off); got != i {
			t.Errorf("offset %d is in function %d, found %d", off, i, got)
		}
	}
}

// TestPCTable: PCValue returns the written values at both ends of each run.
func TestPCTable(t *testing.T) {
	m := &Module{PCTables: &table{buf: make([]byte, 100), n: 1}}
	off, err := m.PCTable(PCRun{-2, 5}, PCRun{40, 300}, PCRun{48, 7})
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[uint32]int32{0: -2, 4: -2, 5: 40, 304: 40, 305: 48, 311: 48} {
		if got := m.PCValue(off, at); got != want {
			t.Errorf("at %d: %d, want %d", at, got, want)
		}
	}
}

// TestFunctionRecord: Function returns what AddFunction has written.
func TestFunctionRecord(t *testing.T) {
	m := testModule(1 << 16)
	m.Functions = &table{buf: make([]byte, 1000), n: 8}
	f := Function{
		Entry: m.Text.Base + 32, Size: 100, Name: 2, Args: 3, DeferReturn: 4, PCSP: 5, PCFile: 6, PCLine: 7, Unit: 8,
		StartLine: 9, ID: 10, Flag: 11, PCData: []uint32{12, 13}, FuncData: []uint32{14, goruntime.NoOffset, 16},
	}
	if err := m.AddFunction(f); err != nil {
		t.Fatal(err)
	}
	got := m.Function(m.FindFunc(f.Entry + 50))
	got.Size = f.Size
	if !reflect.DeepEqual(got, f) {
		t.Errorf("got %+v, want %+v", got, f)
	}
}
