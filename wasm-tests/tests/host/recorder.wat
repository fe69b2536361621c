;; A filter that notes every callback and does what its configuration says, byte by byte:
;;   0 request headers   1 request body   2 request body, end   3 request trailers
;;   4 response headers  5 response body  6 response body, end  7 response trailers
;;       (each: the action to answer)
;;   8 the tag of the callback that sends a local reply        9 the same for closing the stream
;;  10 the tag of the callback that traps                     11 1: every tick resumes the request
;;  12 what on_configure answers
;;
;; A note is a log line of four bytes: tag, size, end of stream, and the status of reading the
;; request's :path at that moment.
(module
  (import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))
  (import "env" "proxy_get_buffer_bytes"
    (func $buffer (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_get_header_map_value"
    (func $header (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_send_local_response"
    (func $reply (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_close_stream" (func $close (param i32) (result i32)))
  (import "env" "proxy_continue_stream" (func $resume (param i32) (result i32)))
  (import "env" "proxy_set_effective_context" (func $enter (param i32) (result i32)))
  (import "env" "proxy_set_tick_period_milliseconds" (func $ticks (param i32) (result i32)))
  (memory (export "memory") 2)
  (global $heap (mut i32) (i32.const 4096))
  (global $config (mut i32) (i32.const 0))
  (data (i32.const 16) ":path")
  (data (i32.const 32) "refused by a test")
  (data (i32.const 64) "no")

  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (global.get $heap))
    (global.set $heap (i32.add (global.get $heap) (local.get $size)))
    (local.get $at))

  (func $setting (param $place i32) (result i32)
    (i32.load8_u (i32.add (global.get $config) (local.get $place))))

  ;; Notes a callback, and replies, closes or traps where that is wanted.
  (func $note (param $tag i32) (param $size i32) (param $end i32)
    (i32.store8 (i32.const 128) (local.get $tag))
    (i32.store8 (i32.const 129) (local.get $size))
    (i32.store8 (i32.const 130) (local.get $end))
    (i32.store8 (i32.const 131)
      (call $header (i32.const 0) (i32.const 16) (i32.const 5) (i32.const 140) (i32.const 144)))
    (drop (call $log (i32.const 2) (i32.const 128) (i32.const 4)))
    (if (i32.eq (call $setting (i32.const 8)) (local.get $tag))
      (then (drop (call $reply (i32.const 403) (i32.const 32) (i32.const 17)
        (i32.const 64) (i32.const 2) (i32.const 0) (i32.const 0) (i32.const -1)))))
    (if (i32.eq (call $setting (i32.const 9)) (local.get $tag))
      (then (drop (call $close (i32.const 0)))))
    (if (i32.eq (call $setting (i32.const 10)) (local.get $tag))
      (then (unreachable))))

  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (i32.const 1))
  (func (export "proxy_on_configure") (param i32) (param $size i32) (result i32)
    (drop (call $buffer (i32.const 7) (i32.const 0) (local.get $size)
      (i32.const 160) (i32.const 164)))
    (global.set $config (i32.load (i32.const 160)))
    (if (call $setting (i32.const 11)) (then (drop (call $ticks (i32.const 100)))))
    (call $setting (i32.const 12)))
  (func (export "proxy_on_tick") (param i32)
    (if (call $setting (i32.const 11))
      (then
        (drop (call $enter (i32.const 2)))
        (drop (call $resume (i32.const 0))))))

  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (call $note (i32.const 0x52) (local.get 1) (local.get 2))
    (call $setting (i32.const 0)))
  (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
    (call $note (i32.const 0x42) (local.get 1) (local.get 2))
    (call $setting (i32.add (i32.const 1) (local.get 2))))
  (func (export "proxy_on_request_trailers") (param i32 i32) (result i32)
    (call $note (i32.const 0x54) (local.get 1) (i32.const 1))
    (call $setting (i32.const 3)))
  (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
    (call $note (i32.const 0x72) (local.get 1) (local.get 2))
    (call $setting (i32.const 4)))
  (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32)
    (call $note (i32.const 0x62) (local.get 1) (local.get 2))
    (call $setting (i32.add (i32.const 5) (local.get 2))))
  (func (export "proxy_on_response_trailers") (param i32 i32) (result i32)
    (call $note (i32.const 0x74) (local.get 1) (i32.const 1))
    (call $setting (i32.const 7)))
  (func (export "proxy_on_log") (param i32)
    (call $note (i32.const 0x4c) (i32.const 0) (i32.const 0)))
  (func (export "proxy_on_done") (param i32) (result i32)
    (call $note (i32.const 0x44) (i32.const 0) (i32.const 0))
    (i32.const 1))
  (func (export "proxy_on_delete") (param i32)))
