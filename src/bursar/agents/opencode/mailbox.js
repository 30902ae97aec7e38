// Hands what is in bursar's mailbox to the model beside the answer of the tool that has just ended, once.
import { readFileSync, renameSync } from "fs"

const mailbox = MAILBOX_PATH

export const Mailbox = async () => ({
  "tool.execute.after": async (_input, output) => {
    try {
      renameSync(mailbox, mailbox + ".heard")
      output.output += "\n\n" + JSON.parse(readFileSync(mailbox + ".heard", "utf8"))
    } catch {} // there are no words for it
  },
})
