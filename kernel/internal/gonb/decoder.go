// Package gonb implements the protocol between programs that use GoNB's package gonbui and
// their notebook: values in encoding/gob, written to and read from the pipes that two
// environment variables name. With this protocol, the displays, input requests and widgets of notebooks for GoNB work
// in this kernel.
//
// Source: gonbui/protocol of github.com/janpfeifer/gonb, v0.11.
package gonb

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"
)

// The variables that package gonbui reads.
const (
	EnvPipe     = "GONB_PIPE"      // path of the pipe to which the program writes
	EnvPipeBack = "GONB_PIPE_BACK" // path of the pipe from which the program reads
	EnvDir      = "GONB_DIR"       // the folder in which cells run
	EnvTmpDir   = "GONB_TMP_DIR"   // folder for files of the session
)

// Keys of displayData.Data that are not MIME types.
const (
	keyInput     = "gonb/jupyter_input"
	keyValue     = "gonb/comm_value"
	keySubscribe = "gonb/comm_subscribe"
)

// Addresses of messages that are not for the front end.
const (
	addressSync    = "#gonbui/sync"
	addressSyncAck = "#gonbui/sync_ack"
	AddressStart   = "#comms/start"
)

type mimeType string

type displayData struct {
	Data      map[mimeType]any
	Metadata  map[string]any
	DisplayID string
}

// An Input asks the user for a line, which goes to the program's standard input.
type Input struct {
	Prompt   string
	Password bool
}

// A Value is a value sent to or from an address in the front end. If Request is true, it asks for the front end's value
// instead.
type Value struct {
	Address string
	Request bool
	Value   any
}

// A Subscription asks for the values that the front end sends to an address.
type Subscription struct {
	Address     string
	Unsubscribe bool
}

// A Display is something to show. Data is keyed by MIME type. Binary types are in base64.
type Display struct {
	Data      map[string]any
	Metadata  map[string]any
	DisplayID string
}

// A Message is a Display, an Input, a Value, a Subscription or a Sync.
type Message any

// A Sync asks for an acknowledgement that everything sent before the Sync has arrived.
type Sync struct{ id any }

// Ack returns the acknowledgement, for which the program waits.
func (s Sync) Ack() Value { return Value{Address: addressSyncAck, Value: s.id} }

const protocolPackage = "github.com/janpfeifer/gonb/gonbui/protocol."

// register registers with gob the types of interface values. It is not an init function,
// since most processes that import this package never decode.
func register() {
	gob.RegisterName(protocolPackage+"DisplayData", displayData{})
	gob.RegisterName(protocolPackage+"InputRequest", Input{})
	gob.RegisterName(protocolPackage+"CommValue", Value{})
	gob.RegisterName(protocolPackage+"CommSubscription", Subscription{})
	for _, v := range []any{
		[]int{}, []float64{}, []string{}, []any{},
		map[string]int{}, map[string]float64{}, map[string]string{}, map[string]any{},
	} {
		gob.Register(v)
	}
}

var registerOnce = sync.OnceFunc(register)

// maxMessage is the maximum size of a message, in bytes. Front ends do not show larger pictures.
const maxMessage = 256 << 20

// A Decoder decodes what a program writes. It is given bytes when they arrive, so no goroutine blocks in a read. The
// zero value is ready to use.
type Decoder struct {
	unread []byte       // the beginning of a frame
	frames bytes.Buffer // whole frames, for gob
	next   func() (event, bool)
	stop   func()
	broken error
}

// An event is the result of a step of gob's decoder: a message, an error, or neither
// if it needs more bytes.
type event struct {
	message Message
	err     error
}

// Write decodes the next bytes and returns the messages that are complete. If a message is invalid, it returns an error
// along with the other messages. After invalid framing, it ignores all further bytes.
func (d *Decoder) Write(b []byte) ([]Message, error) {
	if d.broken != nil {
		return nil, nil
	}
	if d.next == nil {
		registerOnce()
		d.next, d.stop = iter.Pull(d.decode)
	}
	d.unread = append(d.unread, b...)
	for {
		n, err := frame(d.unread)
		if err != nil {
			d.broken = fmt.Errorf("gonbui: the output of package gonbui is malformed: %w; its further output is not shown", err)
			break
		}
		if n == 0 {
			break
		}
		d.frames.Write(d.unread[:n])
		d.unread = d.unread[n:]
	}
	var out []Message
	var errs []error
	for {
		e, ok := d.next()
		switch {
		case !ok:
			d.broken = cmp.Or(d.broken, errors.New("gonbui: the decoder of package gonbui's output is closed"))
			return out, errors.Join(append(errs, d.broken)...)
		case e.err != nil:
			errs = append(errs, e.err)
		case e.message != nil:
			out = append(out, e.message)
		default:
			return out, errors.Join(append(errs, d.broken)...)
		}
	}
}

// Close releases the Decoder's resources.
func (d *Decoder) Close() {
	if d.stop != nil {
		d.stop()
	}
}

// decode runs gob's decoder as a coroutine of Write: it yields when the decoder needs more
// bytes.
func (d *Decoder) decode(yield func(event) bool) {
	in := &frameReader{frames: &d.frames, yield: yield}
	dec := gob.NewDecoder(in)
	for !in.isDone {
		var data displayData
		err := dec.Decode(&data)
		if in.isDone {
			return
		}
		var e event
		if err != nil {
			e.err = fmt.Errorf("gonbui: cannot read a message of package gonbui: %w", err)
		} else {
			e.message, e.err = data.message()
		}
		in.isDone = !yield(e)
	}
}

// A frameReader reads whole frames. It yields to Write while there are none.
type frameReader struct {
	frames *bytes.Buffer
	yield  func(event) bool
	isDone bool
}

func (h *frameReader) fill() error {
	for h.frames.Len() == 0 {
		if h.isDone = h.isDone || !h.yield(event{}); h.isDone {
			return io.EOF
		}
	}
	return nil
}

func (h *frameReader) Read(b []byte) (int, error) {
	if err := h.fill(); err != nil {
		return 0, err
	}
	return h.frames.Read(b)
}

func (h *frameReader) ReadByte() (byte, error) {
	if err := h.fill(); err != nil {
		return 0, err
	}
	return h.frames.ReadByte()
}

// frame returns the length of the first frame of a gob stream, or 0 if the frame is
// not complete. A frame is a number and that many bytes. It holds the definition of
// a type, a value, or a part of a value.
func frame(b []byte) (int, error) {
	size, n, err := gobUint(b)
	if err != nil || n == 0 {
		return 0, err
	}
	if size > maxMessage {
		return 0, fmt.Errorf("a message of %d bytes is too large, since the limit is %d bytes", size, maxMessage)
	}
	if uint64(len(b)-n) < size {
		return 0, nil
	}
	return n + int(size), nil
}

// gobUint decodes an unsigned integer in gob's encoding. Below 128 that is one byte, else the
// negated number of bytes, followed by that many bytes in big-endian order. n is the number of
// bytes read, or 0 if b is too short.
func gobUint(b []byte) (v uint64, n int, err error) {
	if len(b) == 0 {
		return 0, 0, nil
	}
	if b[0] < 128 {
		return uint64(b[0]), 1, nil
	}
	count := 256 - int(b[0])
	if count > 8 {
		return 0, 0, errors.New("a number in a message has more than 8 bytes")
	}
	if len(b) <= count {
		return 0, 0, nil
	}
	for _, c := range b[1 : 1+count] {
		v = v<<8 | uint64(c)
	}
	return v, 1 + count, nil
}

func (data *displayData) message() (Message, error) {
	if v, ok := data.Data[keyInput]; ok {
		return special[Input](keyInput, v)
	}
	if v, ok := data.Data[keySubscribe]; ok {
		return special[Subscription](keySubscribe, v)
	}
	if v, ok := data.Data[keyValue]; ok {
		value, err := special[Value](keyValue, v)
		if err == nil && value.Address == addressSync {
			return Sync{value.Value}, nil
		}
		return value, err
	}
	out := Display{Data: map[string]any{}, Metadata: data.Metadata, DisplayID: data.DisplayID}
	for mime, v := range data.Data {
		out.Data[string(mime)] = form(string(mime), v)
	}
	return out, nil
}

func special[T any](key string, v any) (T, error) {
	m, ok := v.(T)
	if !ok {
		return m, fmt.Errorf("gonbui: the field %q of a message has the wrong type %T", key, v)
	}
	return m, nil
}

// form returns a value in the form that Jupyter requires for a MIME type: text as it is, binary data in base64.
func form(mime string, v any) any {
	b, ok := v.([]byte)
	switch {
	case !ok:
		return v
	case strings.HasPrefix(mime, "text/"), strings.HasSuffix(mime, "+xml"), strings.HasSuffix(mime, "javascript"):
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return base64.StdEncoding.EncodeToString(b)
}
