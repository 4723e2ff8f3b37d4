package mp

import "github.com/perijove/perijove/lib/mp/mphost"

func init() {
	mphost.Open = func() (send func([]byte) error, run func(h interface {
		FuncPC(id string) (uintptr, error)
		Apply(msg []byte) error
		Message(msg []byte)
	})) {
		e := Open()
		return e.SendMessage, func(h interface {
			FuncPC(id string) (uintptr, error)
			Apply(msg []byte) error
			Message(msg []byte)
		}) {
			e.Run(h)
		}
	}
}
