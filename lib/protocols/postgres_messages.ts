/**
 * What a PostgreSQL server and its clients say to each other, as types.
 *
 * @module
 */

/** The server asks for a proof of who the client is, or says that it is content. */
export type PostgresAuthentication =
  & {
    /** The kind of message. */
    type: "authentication";
  }
  & (
    | {
      /** What is asked for; `"ok"` if nothing is any more. */
      method: "ok" | "kerberosV5" | "cleartextPassword" | "gss" | "sspi";
    }
    | {
      /** A password, hashed with the salt. */
      method: "md5Password";
      /** Four bytes. */
      salt: Uint8Array;
    }
    | {
      /** One of several SASL mechanisms, such as `SCRAM-SHA-256`. */
      method: "sasl";
      /** Their names, the server's favourite first. */
      mechanisms: readonly string[];
    }
    | {
      /** The next step of the mechanism, or its end; of GSSAPI, or of SSPI. */
      method: "saslContinue" | "saslFinal" | "gssContinue";
      /** What the mechanism says. */
      data: Uint8Array;
    }
    | {
      /** Something that is none of the above. */
      method: "other";
      /** Its number. */
      code: number;
      /** What comes behind the number. */
      data: Uint8Array;
    }
  );

/** A column of a result. */
export interface PostgresColumn {
  /** Its name. */
  name: string;
  /** The table that it is a column of; 0 if it is none's. */
  tableOid: number;
  /** Which column of the table; 0 if it is none's, and negative for those that every table has. */
  columnNumber: number;
  /** The type of its values: 23 is `int4`, 25 is `text`. */
  typeOid: number;
  /** How many bytes a value takes; -1 if that varies, -2 if a zero byte ends it. */
  typeSize: number;
  /** What else the type says, such as the most characters of a `varchar`; -1 if nothing. */
  typeModifier: number;
  /** How its values are written. */
  format: PostgresFormat;
}

/** How a value is written: as text, or as the bytes that its type says. */
export type PostgresFormat = "text" | "binary";

/** A value of a row, or of a parameter; `null` is SQL's. */
export type PostgresValue = Uint8Array | null;

/**
 * What an error or a notice says, by the names of the fields. A field that is not known by a name has its letter
 * for one.
 */
export interface PostgresFields {
  /** `ERROR`, `FATAL`, `PANIC`, `WARNING`, `NOTICE`, `DEBUG`, `INFO` or `LOG`, or a translation of it. */
  readonly severity?: string;
  /** The same, never translated. */
  readonly severityNonLocalized?: string;
  /** The SQLSTATE, such as `42P01`. */
  readonly code?: string;
  /** What happened, in one line. */
  readonly message?: string;
  /** More about it. */
  readonly detail?: string;
  /** What to do about it. */
  readonly hint?: string;
  /** Where in the query, in characters from 1 on. */
  readonly position?: string;
  /** Where in the internal query. */
  readonly internalPosition?: string;
  /** A query that the server made itself. */
  readonly internalQuery?: string;
  /** In which functions it happened. */
  readonly where?: string;
  /** The schema that it is about. */
  readonly schema?: string;
  /** The table that it is about. */
  readonly table?: string;
  /** The column that it is about. */
  readonly column?: string;
  /** The data type that it is about. */
  readonly dataType?: string;
  /** The constraint that it is about. */
  readonly constraint?: string;
  /** The server's source file. */
  readonly file?: string;
  /** The line in it. */
  readonly line?: string;
  /** The function in it. */
  readonly routine?: string;
  /** Any other, by its letter. */
  readonly [letter: string]: string | undefined;
}

/** A part of a COPY, which both sides send. */
export type PostgresCopyMessage =
  | {
    /** A piece of the data; where it is cut says nothing. */
    type: "copyData";
    /** The piece. */
    data: Uint8Array;
  }
  | {
    /** That was all of it. */
    type: "copyDone";
  };

/** A COPY begins. */
export interface PostgresCopyResponse {
  /** From the client, to it, or both ways. */
  type: "copyInResponse" | "copyOutResponse" | "copyBothResponse";
  /** How the whole is written. */
  format: PostgresFormat;
  /** How each column is. */
  columnFormats: readonly PostgresFormat[];
}

/** A statement failed, or the whole connection did. */
export interface PostgresErrorResponse {
  /** The kind of message. */
  type: "errorResponse";
  /** What happened. */
  fields: PostgresFields;
}

/** Something is to be known, and nothing failed. */
export interface PostgresNoticeResponse {
  /** The kind of message. */
  type: "noticeResponse";
  /** What happened. */
  fields: PostgresFields;
}

/** A message that is not taken apart. */
export interface PostgresOtherMessage {
  /** The kind of message. */
  type: "other";
  /** The letter or the digit that it begins with. */
  tag: string;
  /** What comes behind the length. */
  body: Uint8Array;
}

/** What a server says. */
export type PostgresServerMessage =
  | PostgresAuthentication
  | PostgresCopyMessage
  | {
    /** What a client needs for {@linkcode PostgresStartMessage} `cancelRequest`. */
    type: "backendKeyData";
    /** The number of the process that serves this connection. */
    processId: number;
    /** What proves that it is this client who cancels. */
    secretKey: Uint8Array;
  }
  | {
    /** A setting that clients should know of, at the start and whenever it changes. */
    type: "parameterStatus";
    /** Its name. */
    name: string;
    /** Its value. */
    value: string;
  }
  | {
    /** The server waits for a query. */
    type: "readyForQuery";
    /** Outside a transaction, inside, or inside one that has failed. */
    status: "idle" | "transaction" | "failed";
  }
  | {
    /** The columns of the rows that follow. */
    type: "rowDescription";
    /** The columns. */
    columns: readonly PostgresColumn[];
  }
  | {
    /** A row. */
    type: "dataRow";
    /** Its values, one for each column. */
    values: readonly PostgresValue[];
  }
  | {
    /** A statement was carried out. */
    type: "commandComplete";
    /** Which, and on how many rows: `SELECT 3`. */
    command: string;
  }
  | PostgresErrorResponse
  | PostgresNoticeResponse
  | {
    /** Something was carried out, and there is nothing to say about it. */
    type:
      | "emptyQueryResponse"
      | "parseComplete"
      | "bindComplete"
      | "closeComplete"
      | "noData"
      | "portalSuspended";
  }
  | {
    /** The types of the parameters of a prepared statement. */
    type: "parameterDescription";
    /** One for each. */
    typeOids: readonly number[];
  }
  | {
    /** Somebody said NOTIFY. */
    type: "notificationResponse";
    /** Who: the number of the process that serves him. */
    processId: number;
    /** The channel. */
    channel: string;
    /** What he said. */
    payload: string;
  }
  | PostgresCopyResponse
  | {
    /** The server does not speak as new a version as the client, or does not know options of the start-up. */
    type: "negotiateProtocolVersion";
    /** The newest minor version that it speaks. */
    minorVersion: number;
    /** The options that it does not know. */
    options: readonly string[];
  }
  | PostgresOtherMessage;

/** The answer to a request to encrypt: one byte, the only one that a server sends without a length. */
export interface PostgresEncryptionAnswer {
  /** The kind of message. */
  type: "encryptionAnswer";
  /** How the connection goes on: with a handshake of TLS or of GSSAPI, or as it is. */
  encryption: "tls" | "gssapi" | "none";
}

/** What a client asks for before everything else, without a tag. */
export type PostgresEncryptionRequest = {
  /** To encrypt, by TLS or by GSSAPI. */
  type: "sslRequest" | "gssEncryptionRequest";
};

/** What a connection begins with, without a tag. */
export type PostgresStartMessage =
  | PostgresEncryptionRequest
  | {
    /** To begin a session. */
    type: "startup";
    /** The version of the protocol: `"3.0"`. */
    version: string;
    /** Who asks for which database: `user` must be there, `database` is the user's name without it. */
    parameters: Readonly<Record<string, string>>;
  }
  | {
    /** To cancel what another connection is waiting for. There is no answer. */
    type: "cancelRequest";
    /** The other connection's, from its `backendKeyData`. */
    processId: number;
    /** The other connection's. */
    secretKey: Uint8Array;
  };

/** What a client says. */
export type PostgresClientMessage =
  | PostgresStartMessage
  | PostgresCopyMessage
  | {
    /** A password or a step of another method; which it is, the question before it says. */
    type: "authenticationResponse";
    /** What comes behind the length. */
    data: Uint8Array;
  }
  | {
    /** Statements in one text. */
    type: "query";
    /** The text. */
    sql: string;
  }
  | {
    /** To prepare a statement. */
    type: "parse";
    /** Its name; `""` for the one that has none. */
    name: string;
    /** The statement, with `$1` and so on where parameters come. */
    sql: string;
    /** The types of the parameters, as far as the client says; 0 for one of which it does not. */
    typeOids: readonly number[];
  }
  | {
    /** To give a prepared statement its parameters. */
    type: "bind";
    /** The name of the portal, which is what that makes; `""` for the one that has none. */
    portal: string;
    /** The name of the statement. */
    statement: string;
    /** How the parameters are written: all as text if it is empty, all alike if it is one. */
    parameterFormats: readonly PostgresFormat[];
    /** The parameters. */
    parameters: readonly PostgresValue[];
    /** How the columns of the result are to be, likewise. */
    resultFormats: readonly PostgresFormat[];
  }
  | {
    /** To describe a prepared statement or a portal, or to forget it. */
    type: "describe" | "close";
    /** Which of the two. */
    what: "statement" | "portal";
    /** Its name. */
    name: string;
  }
  | {
    /** To carry out a portal. */
    type: "execute";
    /** Its name. */
    portal: string;
    /** After how many rows to stop; 0 for all of them. */
    maxRows: number;
  }
  | {
    /** To break a COPY off. */
    type: "copyFail";
    /** Why. */
    message: string;
  }
  | {
    /** To end a batch, to send what waits, or to end the session. */
    type: "sync" | "flush" | "terminate";
  }
  | PostgresOtherMessage;

/** Answers to `authentication` that have a shape of their own: a server reads them as `authenticationResponse`. */
export type PostgresProof =
  | {
    /** A password, in clear or hashed. */
    type: "password";
    /** The password. */
    password: string;
  }
  | {
    /** The choice of a SASL mechanism, and its first step. */
    type: "saslInitialResponse";
    /** Its name. */
    mechanism: string;
    /** The first step; `null` if the mechanism leaves that to the server. */
    data: Uint8Array | null;
  };
