package codec

import (
	"encoding/binary"
	"reflect"
	"sync"
	"time"
	"unsafe"

	failure "github.com/perijove/perijove/lib/mp/internal/failure"
)

// A time.Time is sent with its location. The receiver uses the location of the same
// name if that has the same zone at that time, else a fixed zone. The monotonic clock
// reading is not sent.

var (
	timeType     = reflect.TypeFor[time.Time]()
	locationType = reflect.TypeFor[*time.Location]()
)

// timeCodec sets c to the codec of times or locations, and reports whether t is such a type.
func timeCodec(c *Codec, t reflect.Type) bool {
	switch t {
	case timeType:
		c.encode, c.decode = putTime, getTime
	case locationType:
		c.encode, c.decode = putLocation, getLocation
	default:
		return false
	}
	return true
}

const noLocation, hasLocation = 0, 1

func putTime(w *Writer, p unsafe.Pointer) {
	t := *(*time.Time)(p)
	l := t.Location()
	if l == time.UTC {
		w.B = append(w.B, noLocation)
	} else {
		w.B = append(w.B, hasLocation)
		w.putZone(l, t)
	}
	w.B = binary.LittleEndian.AppendUint64(w.B, uint64(t.Unix()))
	w.B = binary.LittleEndian.AppendUint32(w.B, uint32(t.Nanosecond()))
}

func getTime(r *Reader, p unsafe.Pointer) {
	var name, zone string
	var offset int64
	has := r.takeByte() == hasLocation
	if has {
		name, zone, offset = r.takeZone()
	}
	sec, nsec := r.take(8), r.take(4)
	if r.Err != nil {
		return
	}
	t := time.Unix(int64(binary.LittleEndian.Uint64(sec)), int64(binary.LittleEndian.Uint32(nsec)%1e9)).UTC()
	if has {
		t = t.In(locationAt(name, zone, offset, t))
	}
	*(*time.Time)(p) = t
}

func putLocation(w *Writer, p unsafe.Pointer) {
	l := *(**time.Location)(p)
	if l == nil {
		w.B = append(w.B, noLocation)
		return
	}
	w.B = append(w.B, hasLocation)
	w.putZone(l, time.Unix(0, 0))
}

func getLocation(r *Reader, p unsafe.Pointer) {
	*(**time.Location)(p) = nil
	if r.takeByte() == hasLocation {
		name, zone, offset := r.takeZone()
		if r.Err == nil {
			*(**time.Location)(p) = locationAt(name, zone, offset, time.Unix(0, 0))
		}
	}
}

// putZone writes the name of a location, and the zone that holds there at t.
func (w *Writer) putZone(l *time.Location, t time.Time) {
	zone, offset := t.In(l).Zone()
	w.B = AppendStrings(w.B, l.String(), zone)
	w.B = binary.AppendVarint(w.B, int64(offset))
}

func (r *Reader) takeZone() (name, zone string, offset int64) {
	name, zone = r.takeString(), r.takeString()
	offset, k := binary.Varint(r.B)
	if k <= 0 || offset != int64(int32(offset)) {
		r.fail(failure.ErrMalformed)
		return "", "", 0
	}
	r.B = r.B[k:]
	return name, zone, offset
}

// locationAt returns the location with the given name if its zone at t has the given
// name and offset in seconds. Else it returns a fixed zone.
func locationAt(name, zone string, offset int64, t time.Time) *time.Location {
	l := time.UTC
	switch name {
	case "UTC", "":
	case "Local":
		l = time.Local
	default:
		l = loadedLocation(name)
	}
	if gotZone, got := t.In(l).Zone(); l.String() == name && gotZone == zone && int64(got) == offset {
		return l
	}
	return time.FixedZone(zone, int(offset))
}

// locations caches the locations that were loaded from the system's files, by name.
var locations sync.Map // string → *time.Location

// loadedLocation returns the location with the given name, or UTC if there is none.
func loadedLocation(name string) *time.Location {
	if l, ok := locations.Load(name); ok {
		return l.(*time.Location)
	}
	l, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	locations.Store(name, l)
	return l
}
