package platform

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

func TestReleaseFilePages(t *testing.T) {
	page := os.Getpagesize()
	content := bytes.Repeat([]byte("perijove"), 16*page/8)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	untouched, err := MapFile(file)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(untouched)
	changed := mapChanged(t, file, len(content))
	defer unix.Munmap(changed)
	if !bytes.Equal(untouched, content) || residentPages(t, untouched) != 16 {
		t.Fatalf("%d of 16 pages of a file that was read are resident", residentPages(t, untouched))
	}
	if err := ReleaseFilePages(); err != nil {
		t.Fatal(err)
	}
	if n := residentPages(t, untouched); n != 0 {
		t.Errorf("%d pages of a file are still resident", n)
	}
	if !bytes.Equal(untouched, content) {
		t.Error("the file has another content")
	}
	if changed[0] != 'X' {
		t.Error("a change of a private mapping is lost")
	}
}

// mapChanged maps n bytes of a file, changes the first byte, and makes the mapping read-only, as a dynamic linker does with
// relocations.
func mapChanged(t *testing.T, file string, n int) []byte {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := unix.Mmap(int(f.Fd()), 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	b[0] = 'X'
	if err := unix.Mprotect(b, unix.PROT_READ); err != nil {
		t.Fatal(err)
	}
	return b
}

// residentPages returns how many pages of b are mapped.
func residentPages(t *testing.T, b []byte) int {
	t.Helper()
	f, err := os.Open("/proc/self/pagemap")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	page := os.Getpagesize()
	entries := make([]byte, len(b)/page*8)
	if _, err := f.ReadAt(entries, int64(uintptr(unsafe.Pointer(&b[0]))/uintptr(page)*8)); err != nil {
		t.Fatal(err)
	}
	n := 0
	for ; len(entries) > 0; entries = entries[8:] {
		n += int(binary.LittleEndian.Uint64(entries) >> 63)
	}
	return n
}

// initial has its value in the executable: it has no pointers, and is too large for a stack.
var initial = [3 * 65536]byte{1: 1, 65536: 2, 2*65536 - 1: 3}

func TestReleaseUnwritten(t *testing.T) {
	before := initial
	page := os.Getpagesize()
	start := int(-uintptr(unsafe.Pointer(&initial)) & uintptr(page-1))
	whole := initial[start : start+(len(initial)-start)/page*page] // its whole pages
	if residentPages(t, whole) == 0 {
		t.Fatal("no page is resident after a read")
	}
	if err := ReleaseUnwritten(initial[:]); err != nil {
		t.Fatal(err)
	}
	if n := residentPages(t, whole); n != 0 {
		t.Errorf("%d pages are still resident", n)
	}
	if initial != before {
		t.Error("the variable has another value")
	}
	if err := ReleaseUnwritten(initial[:page/2]); err != nil {
		t.Error("less than a page:", err)
	}
}

func TestUnchangedFiles(t *testing.T) {
	const smaps = `00400000-00c69000 r-xp 00000000 fe:00 1234                       /usr/bin/with a name
Rss:                4736 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me sd
00c69000-0176e000 r--p 00869000 fe:00 1234                       /usr/bin/with a name
Rss:                6356 kB
Anonymous:             8 kB
0176e000-01cdd000 rw-p 0136e000 fe:00 1234                       /usr/bin/with a name
Anonymous:             0 kB
01cdd000-03d23000 r--p 00000000 00:00 0 
Anonymous:             0 kB
04000000-04001000 r--s 00000000 fe:00 77                         /tmp/shared
Anonymous:             0 kB
7fa226200000-7fa2265fb000 r--p 00000000 fe:00 99
Anonymous:             0 kB
7ffc5b1c4000-7ffc5b1c6000 r-xp 00000000 00:00 0                  [vdso]
Anonymous:             0 kB
`
	got, err := unchangedFiles(strings.NewReader(smaps))
	want := []memoryRange{{0x400000, 0xc69000}, {0x7fa226200000, 0x7fa2265fb000}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%#x, %v; want %#x", got, err, want)
	}
	if _, err := unchangedFiles(strings.NewReader("x-y r--p 0 fe:00 3 /f\n")); err == nil {
		t.Error("a mapping without addresses is accepted")
	}
}

func BenchmarkReleaseFilePages(b *testing.B) {
	for b.Loop() {
		if err := ReleaseFilePages(); err != nil {
			b.Fatal(err)
		}
	}
}
