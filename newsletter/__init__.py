"""The newsletter service of a newspaper.

The rooms, in the order in which a story travels from the paper's site to a
reader's inbox. Each imports only rooms above it in this list:

- ``errors``, ``clock``, ``tokens``, ``log``, ``config``, ``net``, ``words``: the ground;
  ``locale`` holds the catalogues of ``words``.
- ``publication``: the paper's nouns and the slots of its newsletters.
- ``sources``: where stories and their reads come from.
- ``pictures``: a picture as a file that every mail program shows.
- ``subscribers``: addresses, consent, who may be mailed.
- ``stories``: what we believe of a story: clean text, one address, one picture.
- ``ranking``: which stories, and why.
- ``issues``: the dated number of a newsletter, its states, its draft.
- ``rendering``: an issue as HTML and text, once, with slots for the reader.
- ``checks``: what may stop an issue.
- ``delivery``: message bytes, the SMTP conversation, what a reply means.
- ``feedback``: what comes back from a mail: clicks, mails of those who leave.
- ``storage``: tables and repositories; the only room that knows SQL.
- ``workflows``: the way as prose: fetch, draft, publish, deliver, sign up.
- ``scheduling`` and ``web``: who calls which workflow, and when.
- ``demo``: a small paper, its readers and a mail catcher.
- ``cli``: the command line.
"""

__version__ = "0.1.0"
