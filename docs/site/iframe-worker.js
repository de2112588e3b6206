// A page opened from a file may start no worker, which the search needs: here a frame stands in.
if (location.protocol === "file:")
  window.Worker = class extends EventTarget {
    constructor(address) {
      super()
      const frame = document.createElement("iframe")
      frame.hidden = true
      document.body.append(frame)
      this.worker = frame.contentWindow
      this.ready = new Promise(done => frame.addEventListener("load", done))
      addEventListener("message", ({ source, data }) => {
        if (source === this.worker) this.dispatchEvent(new MessageEvent("message", { data }))
      })
      this.worker.document.open()
      this.worker.document.write(`<script>
        var postMessage = data => parent.dispatchEvent(
          new MessageEvent("message", { data, source: window }))
        <\/script><script src="${address}"><\/script>`)
      this.worker.document.close()
    }
    postMessage(data) {
      this.ready.then(() => this.worker.dispatchEvent(new MessageEvent("message", { data })))
    }
  }
